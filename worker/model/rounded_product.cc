#include "worker/model/rounded_product.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/mm.h"
#include "worker/model/element_type.h"

namespace hydra {
namespace {

at::Tensor Rounded(const at::Tensor& tensor, at::ScalarType type) {
  return tensor.to(type).to(at::kFloat);
}

}  // namespace

at::Tensor RoundedProduct(const at::Tensor& a, const at::Tensor& b,
                          ElementType element_type, const at::Tensor& bias) {
  const at::ScalarType type = TorchTypeOf(element_type);
  if (!a.is_cpu()) {
    const at::Tensor left = a.to(type);
    const at::Tensor right = b.to(type);
    return (bias.defined() ? at::addmm(bias.to(type), left, right)
                           : at::mm(left, right))
        .to(at::kFloat);
  }
  const at::Tensor product =
      bias.defined()
          ? at::addmm(Rounded(bias, type), Rounded(a, type), Rounded(b, type))
          : at::mm(Rounded(a, type), Rounded(b, type));
  return product.copy_(product.to(type));
}

}  // namespace hydra
