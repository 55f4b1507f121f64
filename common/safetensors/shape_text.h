#ifndef HYDRA_COMMON_SAFETENSORS_SHAPE_TEXT_H_
#define HYDRA_COMMON_SAFETENSORS_SHAPE_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"

namespace hydra::safetensors {

// How messages show a tensor's shape: "[50257, 768]".
inline std::string ShapeText(absl::Span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_SHAPE_TEXT_H_
