#include "worker/model/projection.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/mm.h"
#include "worker/model/element_type.h"

namespace hydra {

at::Tensor Project(const at::Tensor& input, const Projection& projection) {
  const at::Tensor weight = Widened(projection.weight).t();
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
  const at::Tensor weight = Widened(projection.weight);
  if (add) {
    to.addmm_(output_gradient, weight);
  } else {
    at::mm_out(to, output_gradient, weight);
  }
  AddAdapterInputGradient(output_gradient, projection.adapter, to);
}

}  // namespace hydra
