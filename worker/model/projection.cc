#include "worker/model/projection.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/mm.h"

namespace hydra {

at::Tensor Project(const at::Tensor& input, const Projection& projection) {
  const at::Tensor weight = projection.weight.t();
  return projection.bias.defined() ? at::addmm(projection.bias, input, weight)
                                   : at::mm(input, weight);
}

void StoreProjection(const at::Tensor& input, const at::Tensor& output_gradient,
                     const ParameterGradients& store, const Projection& to) {
  store.StoreProduct(output_gradient, input, to.weight);
  if (to.bias.defined()) store.StoreRowSum(output_gradient, to.bias);
}

void InputGradient(const at::Tensor& output_gradient,
                   const Projection& projection, bool add, at::Tensor to) {
  if (add) {
    to.addmm_(output_gradient, projection.weight);
  } else {
    at::mm_out(to, output_gradient, projection.weight);
  }
}

}  // namespace hydra
