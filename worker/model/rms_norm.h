#ifndef HYDRA_WORKER_MODEL_RMS_NORM_H_
#define HYDRA_WORKER_MODEL_RMS_NORM_H_

#include "ATen/core/Tensor.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {

// RMS norm of rows (Zhang and Sennrich, arXiv 1910.07467), forward and backward
// by hand; nothing is recorded. Tensors are fp32 and contiguous. On a CPU the
// bits are the same for any number of threads and on every processor.

// Over the last dimension, which `weight` is as long as. `inverse_root`, [rows,
// 1], is what the backward pass wants to have back.
at::Tensor RmsNormForward(const at::Tensor& input, const at::Tensor& weight,
                          double epsilon, at::Tensor* inverse_root);

// Turns the gradient of the output into that of the input; that of the weight
// goes to `weight_gradient`, unless that is undefined. All are [rows, width].
void RmsNormBackward(const at::Tensor& input, const at::Tensor& weight,
                     const at::Tensor& inverse_root,
                     const ParameterGradients& store,
                     const at::Tensor& weight_gradient,
                     const at::Tensor& gradient);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_RMS_NORM_H_
