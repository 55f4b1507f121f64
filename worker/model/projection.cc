#include "worker/model/projection.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/mm.h"

namespace hydra {

at::Tensor Project(const at::Tensor& input, const Projection& projection) {
  const at::Tensor weight = projection.weight.t();
  at::Tensor output = projection.bias.defined()
                          ? at::addmm(projection.bias, input, weight)
                          : at::mm(input, weight);
  AddAdapter(input, projection.adapter, output);
  return output;
}

void StoreProjection(const at::Tensor& input, const at::Tensor& output_gradient,
                     const Projection& projection,
                     const ParameterGradients& store, const Projection& to) {
  store.StoreProduct(output_gradient, input, to.weight);
  store.StoreRowSum(output_gradient, to.bias);
  StoreAdapter(input, output_gradient, projection.adapter, store, to.adapter);
}

void InputGradient(const at::Tensor& output_gradient,
                   const Projection& projection, bool add, at::Tensor to) {
  if (add) {
    to.addmm_(output_gradient, projection.weight);
  } else {
    at::mm_out(to, output_gradient, projection.weight);
  }
  AddAdapterInputGradient(output_gradient, projection.adapter, to);
}

}  // namespace hydra
