#include "worker/model/layer_norm.h"

#include <tuple>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/native_layer_norm.h"
#include "ATen/ops/native_layer_norm_backward.h"
#include "c10/core/GradMode.h"

namespace hydra {

at::Tensor LayerNormForward(const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, double epsilon,
                            NormStatistics* statistics) {
  const at::NoGradGuard no_grad;
  auto [output, mean, inverse_deviation] =
      at::native_layer_norm(input, weight.sizes(), weight, bias, epsilon);
  *statistics = {mean.view({-1, 1}), inverse_deviation.view({-1, 1})};
  return output;
}

at::Tensor LayerNormBackward(const at::Tensor& output_gradient,
                             const at::Tensor& input, const at::Tensor& weight,
                             const NormStatistics& statistics,
                             const ParameterGradients& store,
                             const NormGradients& to) {
  const at::NoGradGuard no_grad;
  store.StoreRowSum(output_gradient, to.bias);
  if (to.weight.defined()) {
    store.StoreRowSum((input - statistics.mean)
                          .mul_(statistics.inverse_deviation)
                          .mul_(output_gradient),
                      to.weight);
  }
  return std::get<0>(at::native_layer_norm_backward(
      output_gradient, input, weight.sizes(), statistics.mean,
      statistics.inverse_deviation, weight,
      /*bias=*/weight, {true, false, false}));
}

}  // namespace hydra
