#ifndef HYDRA_WORKER_MODEL_OPTIMIZER_STEP_H_
#define HYDRA_WORKER_MODEL_OPTIMIZER_STEP_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "common/model/optimizer.h"

namespace hydra {

// Blocks are updated in ranges of so many elements, the last one being shorter:
// little enough that a range stays in a processor's cache from its first
// operation to its last.
inline constexpr int64_t kUpdateRangeElements = int64_t{1} << 16;

// Moments that UpdateRange takes: no optimizer keeps more.
inline constexpr int kMostMoments = 2;

// One optimizer update as PyTorch defines it, in place, on ranges of equal
// length: flat fp32 tensors that begin at the same multiple of 64 bytes of
// their blocks, a multiple of 16 elements long. Any ranging gives the same
// bits.
//
// `step` counts updates from 1. State that starts as zero equals PyTorch's
// start. Moments that the optimizer does not keep (common/model/optimizer.h)
// may be undefined tensors; SGD's momentum is the first one.
void UpdateRange(const Hyperparameters& hyperparameters, int64_t step,
                 at::Tensor parameters, const at::Tensor& gradient,
                 at::Tensor first_moment, at::Tensor second_moment);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_OPTIMIZER_STEP_H_
