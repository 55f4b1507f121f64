#include "worker/model/element_type.h"

#include "ATen/core/Tensor.h"
#include "worker/model/quantized_tensor.h"

namespace hydra {

at::ScalarType TorchTypeOf(ElementType type) {
  switch (type) {
    case ElementType::kInt64:
      return at::kLong;
    case ElementType::kBFloat16:
      return at::kBFloat16;
    case ElementType::kFloat16:
      return at::kHalf;
    case ElementType::kInt8:
      return at::kChar;
    case ElementType::kFloat32:
      break;
  }
  return at::kFloat;
}

at::Tensor Widened(const at::Tensor& tensor) {
  const bool is_half =
      tensor.defined() && at::isReducedFloatingType(tensor.scalar_type());
  return is_half ? tensor.to(at::kFloat) : Dequantized(tensor);
}

}  // namespace hydra
