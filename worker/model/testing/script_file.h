#ifndef HYDRA_WORKER_MODEL_TESTING_SCRIPT_FILE_H_
#define HYDRA_WORKER_MODEL_TESTING_SCRIPT_FILE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace hydra {

// A TorchScript module, for a file.
struct ScriptModule {
  // Name and shape.
  std::vector<std::pair<std::string, std::vector<int64_t>>> parameters;
  // The same of what it has beside these.
  std::vector<std::pair<std::string, std::vector<int64_t>>> buffers;
  // Attributes that are none.
  std::vector<std::pair<std::string, int64_t>> numbers;
  std::vector<std::pair<std::string, std::vector<int64_t>>> lists;
  // Its methods: "def forward(self, x):\n  return x * self.weight\n".
  std::string code;
};

// The bytes of its file, as LibTorch writes it. Of its tensors they have the
// shapes alone.
std::string ScriptFile(const ScriptModule& module);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TESTING_SCRIPT_FILE_H_
