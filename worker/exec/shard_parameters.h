#ifndef HYDRA_WORKER_EXEC_SHARD_PARAMETERS_H_
#define HYDRA_WORKER_EXEC_SHARD_PARAMETERS_H_

#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/container/flat_hash_map.h"
#include "common/chain/chain_task.h"
#include "worker/exec/pass.h"
#include "worker/exec/pool_rows.h"

namespace hydra {

// The parameters of one shard while a pass runs. Each block is promoted when it
// is first asked for, and stays until it is released.
//
// A block whose rows are gathered may stay on the host: if only its owner uses
// it here, they are gathered where they are. The pass's streamed block is never
// promoted whole.
class ShardParameters {
 public:
  explicit ShardParameters(const Pass& pass) : pass_(pass) {}

  // Promotes what the layer computes with.
  void Place(int layer);

  // Gives up this object's reference. Undefined if the block was not promoted.
  at::Tensor Release(int block);

  // The layer's blocks, for its Forward or Record. One that stays on the host
  // is where it is; the streamed one is undefined.
  Tensors FlatsOf(int layer);

  // The streamed block, if the layer has it; else null.
  PoolRows* RowsOf(int layer);

 private:
  // Flat.
  at::Tensor Block(int block);
  bool StaysOnHost(int block) const {
    return hydra::StaysOnHost(pass_.block(block), pass_.layers());
  }

  const Pass& pass_;
  absl::flat_hash_map<int, at::Tensor> promoted_;
  // Made when it is first asked for.
  std::unique_ptr<PoolRows> rows_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_SHARD_PARAMETERS_H_
