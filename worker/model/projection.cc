#include "worker/model/projection.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/mm.h"
#include "worker/model/element_type.h"
#include "worker/model/quantized_tensor.h"
#include "worker/model/rounded_product.h"

namespace hydra {

namespace {

// What RoundedProducts take as it is. They would round what int8 stands for
// anyway; rounded here, it is not there in fp32 as well.
at::Tensor RoundedOperand(const Projection& projection) {
  const at::Tensor& weight = projection.weight;
  return IsQuantized(weight)
             ? Dequantized(weight).to(TorchTypeOf(projection.product_type))
             : weight;
}

}  // namespace

at::Tensor Project(const at::Tensor& input, const Projection& projection) {
  if (projection.is_rounded()) {
    const at::Tensor output =
        RoundedProduct(input, RoundedOperand(projection).t(),
                       projection.product_type, projection.bias);
    AddAdapter(input, projection.adapter, output);
    return output;
  }
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
  if (!projection.is_rounded()) {
    store.StoreProduct(output_gradient, input, to.weight);
  } else if (to.weight.defined()) {
    store.Store(
        RoundedProduct(output_gradient.t(), input, projection.product_type),
        to.weight);
  }
  store.StoreRowSum(output_gradient, to.bias);
  StoreAdapter(input, output_gradient, projection.adapter, store, to.adapter);
}

void InputGradient(const at::Tensor& output_gradient,
                   const Projection& projection, bool add, at::Tensor to) {
  if (projection.is_rounded()) {
    const at::Tensor gradient = RoundedProduct(
        output_gradient, RoundedOperand(projection), projection.product_type);
    if (add) {
      to.add_(gradient);
    } else {
      to.copy_(gradient);
    }
  } else if (add) {
    to.addmm_(output_gradient, Widened(projection.weight));
  } else {
    at::mm_out(to, output_gradient, Widened(projection.weight));
  }
  AddAdapterInputGradient(output_gradient, projection.adapter, to);
}

}  // namespace hydra
