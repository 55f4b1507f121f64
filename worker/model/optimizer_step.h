#ifndef HYDRA_WORKER_MODEL_OPTIMIZER_STEP_H_
#define HYDRA_WORKER_MODEL_OPTIMIZER_STEP_H_

#include <array>
#include <cstdint>

#include "ATen/core/Tensor.h"
#include "common/model/optimizer.h"
#include "worker/model/optimizer_kernel.h"

namespace hydra {

// One optimizer update as PyTorch defines it; Lion's as its authors do (Chen et
// al., arXiv 2302.06675). Any ranging, any number of
// threads and any instructions give the same bits.

// Blocks are updated in ranges of so many elements, the last one being shorter:
// little enough that a range stays in a processor's cache from its first
// operation to its last.
inline constexpr int64_t kUpdateRangeElements = int64_t{1} << 16;

// What the update number `step`, from 1, computes with; calculated in double.
// Throws c10::Error for what is no optimizer, and for one that updates tensors
// as a whole (adafactor.h).
UpdateScalars ScalarsAt(const Hyperparameters& hyperparameters, int64_t step);

// Updates all `count` elements in LibTorch's threads.
void UpdateAll(const UpdateScalars& scalars, const UpdateArrays& arrays,
               int64_t count);

// Updates in place ranges of equal length of a block and its moments: flat fp32
// tensors in host memory. Moments that the optimizer does not keep
// (common/model/optimizer.h) may be undefined; those that begin as zero begin
// as PyTorch's.
void UpdateRange(const UpdateScalars& scalars, const at::Tensor& parameters,
                 const at::Tensor& gradient, const at::Tensor& first_moment,
                 const at::Tensor& second_moment);

// A range of a block and of its moments, as above. Of a block with a master,
// that is what an update changes, and the parameters are bfloat16 and made of
// it; those before the update are not read. Else it is undefined.
struct VersionRange {
  at::Tensor parameters;
  std::array<at::Tensor, kMostMoments> moments;
  at::Tensor master = {};
};

// Updates it in place.
void UpdateRange(const UpdateScalars& scalars, const at::Tensor& gradient,
                 const VersionRange& range);

// The same from one version to another, which nobody reads soon, so that it
// goes past the caches. `copied_parameters`, unless it is undefined, gets the
// new parameters too; it may be the old ones.
void UpdateRange(const UpdateScalars& scalars, const at::Tensor& gradient,
                 const VersionRange& from, const VersionRange& to,
                 const at::Tensor& copied_parameters);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_OPTIMIZER_STEP_H_
