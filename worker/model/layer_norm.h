#ifndef HYDRA_WORKER_MODEL_LAYER_NORM_H_
#define HYDRA_WORKER_MODEL_LAYER_NORM_H_

#include "ATen/core/Tensor.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {

// Layer norm of rows, forward and backward by hand; nothing is recorded. Its
// gradients have the same bits for any number of threads. (LibTorch's own sums
// the gradients of weight and bias first within each thread.)

// What the forward pass leaves for the backward one: [rows, 1] each.
struct NormStatistics {
  at::Tensor mean;
  at::Tensor inverse_deviation;
};

// Where the gradients of its parameters go; undefined: nobody wants them.
struct NormGradients {
  at::Tensor weight;
  at::Tensor bias;
};

// Over the last dimension.
at::Tensor LayerNormForward(const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, double epsilon,
                            NormStatistics* statistics);

// Returns the gradient of the input. All are [rows, width].
at::Tensor LayerNormBackward(const at::Tensor& output_gradient,
                             const at::Tensor& input, const at::Tensor& weight,
                             const NormStatistics& statistics,
                             const ParameterGradients& store,
                             const NormGradients& to);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_LAYER_NORM_H_
