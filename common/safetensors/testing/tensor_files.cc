#include "common/safetensors/testing/tensor_files.h"

#include <memory>

#include "common/safetensors/writer.h"
#include "glog/logging.h"

namespace hydra::safetensors {

void WriteTensors(const std::string& path,
                  const std::vector<FileTensor>& tensors) {
  std::vector<TensorSpec> specs;
  for (const FileTensor& tensor : tensors) specs.push_back(tensor.spec);
  auto writer = Writer::Create(path, specs);
  CHECK(writer.ok()) << writer.status();
  for (const FileTensor& tensor : tensors) {
    if (tensor.bytes.empty()) continue;
    const absl::Status appended =
        (*writer)->Append(tensor.spec.name, tensor.bytes.data(),
                          static_cast<int64_t>(tensor.bytes.size()));
    CHECK(appended.ok()) << appended;
  }
  const absl::Status finished = (*writer)->Finish();
  CHECK(finished.ok()) << finished;
}

}  // namespace hydra::safetensors
