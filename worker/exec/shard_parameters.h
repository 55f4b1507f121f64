#ifndef HYDRA_WORKER_EXEC_SHARD_PARAMETERS_H_
#define HYDRA_WORKER_EXEC_SHARD_PARAMETERS_H_

#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/container/flat_hash_map.h"
#include "worker/exec/pass.h"

namespace hydra {

// The parameters of one shard while a pass runs. Each block is promoted when it
// is first asked for, and stays until it is released.
//
// The token table alone may stay on the host: if only the embedding uses it
// here, its rows are gathered where they are.
class ShardParameters {
 public:
  explicit ShardParameters(const Pass& pass) : pass_(pass) {}

  // Flat.
  at::Tensor Block(int block);

  // Promotes what the layer computes with.
  void Place(int layer);

  // Gives up this object's reference. Undefined if the block was not promoted.
  at::Tensor Release(int block);

  // [vocab, width], of the embedding's first block or the head's last.
  at::Tensor TokenTable();
  at::Tensor HeadWeight();

  // Runs a layer before the head. Records nothing.
  at::Tensor Forward(int layer, const at::Tensor& input,
                     const MicroBatch& micro_batch);

 private:
  at::Tensor AsTable(int block, const at::Tensor& flat) const;
  bool StaysOnHost(int block) const;

  const Pass& pass_;
  absl::flat_hash_map<int, at::Tensor> promoted_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_SHARD_PARAMETERS_H_
