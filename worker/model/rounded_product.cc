#include "worker/model/rounded_product.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/mm.h"

namespace hydra {
namespace {

at::Tensor Rounded(const at::Tensor& tensor) {
  return tensor.to(at::kBFloat16).to(at::kFloat);
}

}  // namespace

at::Tensor RoundedProduct(const at::Tensor& a, const at::Tensor& b,
                          const at::Tensor& bias) {
  if (!a.is_cpu()) {
    const at::Tensor left = a.to(at::kBFloat16);
    const at::Tensor right = b.to(at::kBFloat16);
    return (bias.defined() ? at::addmm(bias.to(at::kBFloat16), left, right)
                           : at::mm(left, right))
        .to(at::kFloat);
  }
  const at::Tensor product =
      bias.defined() ? at::addmm(Rounded(bias), Rounded(a), Rounded(b))
                     : at::mm(Rounded(a), Rounded(b));
  return product.copy_(product.to(at::kBFloat16));
}

}  // namespace hydra
