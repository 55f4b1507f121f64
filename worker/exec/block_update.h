#ifndef HYDRA_WORKER_EXEC_BLOCK_UPDATE_H_
#define HYDRA_WORKER_EXEC_BLOCK_UPDATE_H_

#include "ATen/core/Tensor.h"
#include "worker/exec/gradient_place.h"
#include "worker/exec/moment_stream.h"
#include "worker/exec/pass.h"
#include "worker/exec/row_gradient_sum.h"

namespace hydra {

// The optimizer's update of one block: range after range, the state comes in,
// the new parameters and the new state go to the written versions' slots. The
// state is never on the device as a whole. Where ranges begin follows from the
// block alone.
//
// A block whose gradient has an infinite element or a NaN is skipped: its
// written versions get the bytes of those that were read. That is decided for
// the whole block, so that it is the same in every partition. All functions
// return whether the block was updated.

// Updates `parameters` in place, which become the written version; the cache
// forgets the read one first. Both are flat and whole.
bool UpdateBlock(const Pass& pass, int block, at::Tensor parameters,
                 const at::Tensor& gradient, MomentStream& moments);

// Updates a block whose rows its owner gathers, and lets the cache forget the
// read version. Its gradient is the later layers' part, if it is tied, plus
// that of the gathered rows. `parameters` is undefined if the block is not on
// the device: it then passes through in ranges too. `later_gradient` is
// undefined if the task reads the later layers' part from the pool, or there is
// none. The gradient is nowhere as a whole: what is updated before a bad range
// is found is copied anew.
bool UpdateGatheredBlock(const Pass& pass, int block, at::Tensor parameters,
                         const at::Tensor& later_gradient,
                         RowGradientSum& row_gradient, MomentStream& moments);

// Updates a block that is not on the device as a whole, nor is its gradient,
// which was demoted to `gradient`: that may be where the new numbers go. Both
// pass through in ranges. Bad ranges are met as above.
bool UpdateStreamedBlock(const Pass& pass, int block,
                         const GradientPlace& gradient, MomentStream& moments);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_BLOCK_UPDATE_H_
