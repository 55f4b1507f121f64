#include "worker/model/layer_norm.h"

#include <tuple>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/native_layer_norm.h"
#include "ATen/ops/native_layer_norm_backward.h"
#include "c10/core/GradMode.h"
#include "torch/csrc/autograd/custom_function.h"

namespace hydra {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class LayerNormFunction : public torch::autograd::Function<LayerNormFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& weight, const at::Tensor& bias,
                            double epsilon) {
    NormStatistics statistics;
    at::Tensor output =
        LayerNormForward(input, weight, bias, epsilon, &statistics);
    context->save_for_backward(
        {input, weight, statistics.mean, statistics.inverse_deviation});
    return output;
  }

  static variable_list backward(AutogradContext* context,
                                const variable_list& output_gradients) {
    const variable_list saved = context->get_saved_variables();
    NormGradients gradients = LayerNormBackward(output_gradients[0], saved[0],
                                                saved[1], {saved[2], saved[3]});
    return {gradients.input, gradients.weight, gradients.bias, at::Tensor()};
  }
};

}  // namespace

at::Tensor LayerNorm(const at::Tensor& input, const at::Tensor& weight,
                     const at::Tensor& bias, double epsilon) {
  return LayerNormFunction::apply(input, weight, bias, epsilon);
}

at::Tensor LayerNormForward(const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, double epsilon,
                            NormStatistics* statistics) {
  const at::NoGradGuard no_grad;
  auto [output, mean, inverse_deviation] =
      at::native_layer_norm(input, weight.sizes(), weight, bias, epsilon);
  *statistics = {mean.view({-1, 1}), inverse_deviation.view({-1, 1})};
  return output;
}

NormGradients LayerNormBackward(const at::Tensor& output_gradient,
                                const at::Tensor& input,
                                const at::Tensor& weight,
                                const NormStatistics& statistics) {
  const at::NoGradGuard no_grad;
  const int64_t width = weight.numel();
  const at::Tensor gradient_rows = output_gradient.reshape({-1, width});
  const at::Tensor rows = input.view({-1, width});
  NormGradients gradients;
  // ATen's sum over rows shares its work out by columns, so the order of each
  // sum is the same for any number of threads.
  gradients.bias = gradient_rows.sum(0);
  gradients.weight = (rows - statistics.mean)
                         .mul_(statistics.inverse_deviation)
                         .mul_(gradient_rows)
                         .sum(0);
  gradients.input =
      std::get<0>(at::native_layer_norm_backward(
                      gradient_rows, rows, weight.sizes(), statistics.mean,
                      statistics.inverse_deviation, weight,
                      /*bias=*/weight, {true, false, false}))
          .view(input.sizes());
  return gradients;
}

}  // namespace hydra
