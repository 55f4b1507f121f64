#ifndef HYDRA_COMMON_SAFETENSORS_TESTING_TENSOR_FILES_H_
#define HYDRA_COMMON_SAFETENSORS_TESTING_TENSOR_FILES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/safetensors/header_text.h"

// Small safetensors files for tests.
namespace hydra::safetensors {

struct FileTensor {
  TensorSpec spec;
  std::string bytes;
};

template <typename Number>
FileTensor TensorOf(std::string name, Dtype dtype, std::vector<int64_t> shape,
                    const std::vector<Number>& numbers) {
  return {{std::move(name), dtype, std::move(shape)},
          std::string(reinterpret_cast<const char*>(numbers.data()),
                      numbers.size() * sizeof(Number))};
}

// Dies where that is not possible.
void WriteTensors(const std::string& path,
                  const std::vector<FileTensor>& tensors);

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_TESTING_TENSOR_FILES_H_
