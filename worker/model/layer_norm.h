#ifndef HYDRA_WORKER_MODEL_LAYER_NORM_H_
#define HYDRA_WORKER_MODEL_LAYER_NORM_H_

#include "ATen/core/Tensor.h"

namespace hydra {

// Layer norm over the last dimension whose gradients have the same bits for any
// number of threads. (LibTorch's own sums the gradients of weight and bias
// first within each thread.)

// What the forward pass leaves for the backward one: [rows, 1] each.
struct NormStatistics {
  at::Tensor mean;
  at::Tensor inverse_deviation;
};

struct NormGradients {
  at::Tensor input;
  at::Tensor weight;
  at::Tensor bias;
};

// Differentiable.
at::Tensor LayerNorm(const at::Tensor& input, const at::Tensor& weight,
                     const at::Tensor& bias, double epsilon);

// The two halves by hand; neither records anything.
at::Tensor LayerNormForward(const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, double epsilon,
                            NormStatistics* statistics);
NormGradients LayerNormBackward(const at::Tensor& output_gradient,
                                const at::Tensor& input,
                                const at::Tensor& weight,
                                const NormStatistics& statistics);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_LAYER_NORM_H_
