#ifndef HYDRA_WORKER_EXEC_HOST_BLOCK_UPDATE_H_
#define HYDRA_WORKER_EXEC_HOST_BLOCK_UPDATE_H_

#include <memory>

#include "ATen/core/Tensor.h"
#include "worker/exec/gradient_clip.h"
#include "worker/exec/gradient_place.h"
#include "worker/exec/pass.h"
#include "worker/exec/row_gradient_sum.h"

namespace hydra {

// The updates of block_update.h, done by the host's thread while the device
// goes on: its gradient goes to the host in ranges, and each is used once it
// is there. The cache forgets the version that was read: who needs the new one
// promotes it. Whether the block was skipped is in the pass's results.

// `gradient` is flat and whole.
void UpdateBlockOnHost(const Pass& pass, int block, const at::Tensor& gradient);

// Its gradient was demoted to `gradient`, which may be where the new numbers
// go.
void UpdateStreamedBlockOnHost(const Pass& pass, int block,
                               const GradientPlace& gradient);

// A block whose rows its owner gathers; see UseGatheredGradientOnHost.
void UpdateGatheredBlockOnHost(const Pass& pass, int block,
                               const at::Tensor& later_gradient,
                               std::shared_ptr<RowGradientSum> rows);

// With the gradient that waits in the pool, once `clip` is known.
void UpdateBlockFromPool(const Pass& pass, int block,
                         std::shared_ptr<const GradientClip> clip);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_HOST_BLOCK_UPDATE_H_
