#ifndef HYDRA_WORKER_MODEL_GRADIENT_NORM_H_
#define HYDRA_WORKER_MODEL_GRADIENT_NORM_H_

#include <cstdint>

#include "absl/types/span.h"
#include "common/model/model_table.h"

namespace hydra {

// The norm of all of a model's gradients together, and what they are scaled
// with if it is too large, as torch.nn.utils.clip_grad_norm_ does it. The order
// of all sums is fixed: tensor by tensor in a block, then block by block, in
// double. Pure.

// The sum of the squares of a block's gradient, `flat`; neither its padding
// counts, nor what stands for tensors that are no parameters. Infinite or NaN
// where an element of any tensor is.
double GradientSquares(const ParameterBlock& block, const float* flat);

// Of the sums of all blocks, in the table's order.
double GradientNorm(absl::Span<const double> squares);

// At most 1. For a finite norm.
float ClipFactor(double max_norm, double norm);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_GRADIENT_NORM_H_
