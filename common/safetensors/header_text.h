#ifndef HYDRA_COMMON_SAFETENSORS_HEADER_TEXT_H_
#define HYDRA_COMMON_SAFETENSORS_HEADER_TEXT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/safetensors/dtype.h"
#include "common/safetensors/header.h"

namespace hydra::safetensors {

struct TensorSpec {
  std::string name;
  Dtype dtype = Dtype::kF32;
  std::vector<int64_t> shape;
};

// The beginning of a file: everything before the tensors' data.
struct HeaderText {
  std::string bytes;   // length prefix and header, a multiple of 8 B
  TensorTable table;   // what a reader will make of it
  int64_t file_bytes;  // with the data
};

// Lays the tensors out one behind the other, in the order given.
//
// INVALID_ARGUMENT: a name twice, not UTF-8 or "__metadata__", a negative
//   dimension, a size that overflows, a header above kMaxHeaderBytes.
absl::StatusOr<HeaderText> MakeHeaderText(
    const std::vector<TensorSpec>& tensors,
    const std::map<std::string, std::string>& metadata);

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_HEADER_TEXT_H_
