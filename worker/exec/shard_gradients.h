#ifndef HYDRA_WORKER_EXEC_SHARD_GRADIENTS_H_
#define HYDRA_WORKER_EXEC_SHARD_GRADIENTS_H_

#include <memory>
#include <utility>

#include "ATen/core/Tensor.h"
#include "absl/container/flat_hash_map.h"
#include "worker/exec/gradient_place.h"
#include "worker/exec/gradient_use.h"
#include "worker/exec/moment_stream.h"
#include "worker/exec/pass.h"
#include "worker/exec/row_gradient_sum.h"
#include "worker/exec/shard_parameters.h"

namespace hydra {

// The gradients of one shard's parameters while its BACKWARD runs. Each layer
// sums its own over the micro-batches, so that a tied block's gradient is added
// in the same order wherever the model is cut: a layer's own sum, plus the sums
// of the later layers.
class ShardGradients {
 public:
  explicit ShardGradients(const Pass& pass);

  // The sums of the layer's blocks, for its Backward: flat, made when they are
  // first asked for, then what earlier rounds of the step added up, or
  // uninitialized in the first one. Undefined for a frozen block, for one whose
  // rows it gathers, and for the pass's streamed block.
  Tensors FlatsOf(int layer);

  // The layer's part of the block whose rows it gathers.
  void AddRows(int layer, const RowGradients& rows);

  // All micro-batches of the layer are done: uses the block's gradient if the
  // layer owns it, else hands it down, in this shard or to the owner's. If more
  // rounds of the step come, the layer's sum waits for them in the pool
  // instead. Of a frozen block there is none of that. Takes the block from
  // `parameters` where no layer of the shard needs it any more.
  void Finish(int layer, int block, ShardParameters& parameters);

  // What the updates will read.
  MomentStream& moments() { return moments_; }

 private:
  void KeepSum(int layer, int block, const worker::v1::BlockVersion& sum);
  // `gradient` is where the rows' gradients went.
  void FinishStreamed(int layer, int block, const GradientPlace& gradient);
  // No earlier layer of this shard uses the block.
  bool IsLastUseHere(int layer, int block) const;
  // The later layers' part, wherever it is; `own` may be all there is.
  void AddLaterParts(int block, const at::Tensor& own);
  at::Tensor TakeHandedDown(int block);

  const Pass& pass_;
  MomentStream moments_;
  const std::unique_ptr<GradientUse> use_;
  // By layer and block.
  absl::flat_hash_map<std::pair<int, int>, at::Tensor> sums_;
  // By block: what later layers of this shard handed down.
  absl::flat_hash_map<int, at::Tensor> handed_down_;
  // By block.
  absl::flat_hash_map<int, std::shared_ptr<RowGradientSum>> rows_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_SHARD_GRADIENTS_H_
