#ifndef HYDRA_WORKER_EXEC_GRADIENT_USE_H_
#define HYDRA_WORKER_EXEC_GRADIENT_USE_H_

#include <cstdint>
#include <memory>

#include "ATen/core/Tensor.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/gradient_place.h"
#include "worker/exec/moment_stream.h"
#include "worker/exec/pass.h"
#include "worker/exec/row_gradient_sum.h"
#include "worker/model/layer.h"

namespace hydra {

// What becomes of the gradients of the blocks that a shard owns: an update on
// the device, one on the host, or they wait in the pool. Not thread-safe.
class GradientUse {
 public:
  virtual ~GradientUse() = default;

  // The sum of what a block whose rows are gathered gets from these, in this
  // round and the step's earlier ones, and what adds to it.
  virtual std::shared_ptr<RowGradientSum> NewRowSum(int block,
                                                    int64_t rows_of_batch,
                                                    int64_t micro_batches) = 0;
  virtual void AddRows(int block, const RowGradients& rows,
                       const std::shared_ptr<RowGradientSum>& sum) = 0;

  // More rounds of the step come: the sum waits for them in the pool.
  virtual void KeepRows(int block, const worker::v1::BlockVersion& sum,
                        std::shared_ptr<RowGradientSum> rows) = 0;

  // Takes the whole gradient, which is flat, and the block, which nobody needs
  // any more.
  virtual void Use(int block, at::Tensor parameters,
                   const at::Tensor& gradient) = 0;

  // The same of a streamed block, whose gradient is in the pool, at `gradient`.
  virtual void UseStreamed(int block, const GradientPlace& gradient) = 0;

  // The same where rows are gathered: the parts of later layers, see
  // UpdateGatheredBlock, and of the rows. The block is undefined if it is not
  // on the device.
  virtual void UseGathered(int block, at::Tensor parameters,
                           const at::Tensor& later_gradient,
                           std::shared_ptr<RowGradientSum> rows) = 0;
};

// Both outlive it.
std::unique_ptr<GradientUse> NewGradientUse(const Pass& pass,
                                            MomentStream& moments);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_GRADIENT_USE_H_
