#include "worker/model/rounded_product.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/mm.h"

namespace hydra {
namespace {

at::Tensor Rounded(const at::Tensor& tensor) {
  return tensor.to(at::kBFloat16).to(at::kFloat);
}

}  // namespace

at::Tensor RoundedProduct(const at::Tensor& a, const at::Tensor& b) {
  if (!a.is_cpu()) {
    return at::mm(a.to(at::kBFloat16), b.to(at::kBFloat16)).to(at::kFloat);
  }
  const at::Tensor product = at::mm(Rounded(a), Rounded(b));
  return product.copy_(product.to(at::kBFloat16));
}

}  // namespace hydra
