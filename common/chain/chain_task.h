#ifndef HYDRA_COMMON_CHAIN_CHAIN_TASK_H_
#define HYDRA_COMMON_CHAIN_CHAIN_TASK_H_

#include <cstdint>
#include <vector>

#include "common/chain/block_key.h"
#include "common/chain/job_shape.h"
#include "common/chain/layer_range.h"
#include "common/model/model_table.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Pure: which blocks a pass over a shard reads, makes and ends. The daemon's
// tasks, a pilot's trials and the worker's tests all ask here, so what a pilot
// measures is what runs later.

// A block that a task makes.
struct BlockWrite {
  BlockKey key;
  int64_t size_bytes = 0;
};

// A task without its ids, versions and slots.
struct ChainTask {
  worker::v1::TaskKind kind = worker::v1::TASK_KIND_UNSPECIFIED;
  int64_t step = 0;
  int shard = 0;
  LayerRange layers;
  // Micro-batches of the step, or batches of the split.
  int first_micro_batch = 0;
  int last_micro_batch = 0;
  // In all of them.
  int64_t sequences = 0;
  worker::v1::Split split = worker::v1::SPLIT_UNSPECIFIED;
  std::vector<BlockKey> reads;
  std::vector<BlockWrite> writes;
  // Blocks that nobody reads after this task.
  std::vector<BlockKey> ends;
};

// One pass over `layers`, for the micro-batches of the round, or for batches of
// an evaluation. Its step, shard, split and sequences are not set. The layers
// need not be one of the shape's shards, nor the round one of its rounds.
//
// Requires an INIT (from nothing), FORWARD, BACKWARD, TURN, UPDATE or EVALUATE;
// those of INIT and UPDATE are none. BACKWARD and FORWARD end before the last
// layer, TURN at it; BACKWARD ends behind the first layer that is trained.
ChainTask PassTask(const JobShape& shape, worker::v1::TaskKind kind,
                   const LayerRange& layers, const Round& round);
// For [0, count), as a whole step of them.
ChainTask PassTask(const JobShape& shape, worker::v1::TaskKind kind,
                   const LayerRange& layers, int count);

// Whether it is a block of parameters that training does not change. False for
// a block that the model does not have.
bool IsFrozen(const ModelTable& table, const BlockKey& key);

// Whether a pass over layers from `first` on hands the gradients of its input
// down: some layer before it is trained.
bool HandsGradientsDown(const ModelTable& table, int first);

// The parameter blocks that the layers use, ascending, each once.
std::vector<int> BlocksUsed(const ModelTable& table, const LayerRange& layers);

// Whether a pass over these layers leaves the block in host memory: its rows
// are gathered there, and no other one of the layers computes with it.
bool StaysOnHost(const ParameterBlock& block, const LayerRange& layers);

// What a block of a pass of this kind takes: a boundary of an evaluation has
// another size than one of a step.
int64_t BlockBytes(const JobShape& shape, worker::v1::TaskKind kind,
                   const BlockKey& key);

// The task as a message; its ids, reads and writes are not set.
worker::v1::Task ToMessage(const ChainTask& task);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_CHAIN_TASK_H_
