#ifndef HYDRA_COMMON_MODEL_ELEMENT_DTYPE_H_
#define HYDRA_COMMON_MODEL_ELEMENT_DTYPE_H_

#include "common/model/model_table.h"
#include "common/safetensors/dtype.h"

namespace hydra {

// What safetensors calls a table's element type.
inline safetensors::Dtype DtypeOf(ElementType type) {
  switch (type) {
    case ElementType::kInt64:
      return safetensors::Dtype::kI64;
    case ElementType::kBFloat16:
      return safetensors::Dtype::kBF16;
    case ElementType::kFloat16:
      return safetensors::Dtype::kF16;
    case ElementType::kInt8:
      return safetensors::Dtype::kI8;
    case ElementType::kFloat32:
      break;
  }
  return safetensors::Dtype::kF32;
}

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_ELEMENT_DTYPE_H_
