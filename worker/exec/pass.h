#ifndef HYDRA_WORKER_EXEC_PASS_H_
#define HYDRA_WORKER_EXEC_PASS_H_

#include "ATen/core/Tensor.h"
#include "absl/types/span.h"
#include "worker/exec/batch_reader.h"
#include "worker/exec/block_io.h"
#include "worker/exec/job_model.h"
#include "worker/exec/layer_meter.h"
#include "worker/exec/task_blocks.h"
#include "worker/model/micro_batch.h"

namespace hydra {

// All that a pass over a shard works with; everything outlives the pass. The
// passes throw LibTorch's exceptions, and c10::Error where the task does not
// name the blocks that it needs.
struct Pass {
  const worker::v1::Task& task;
  const TaskBlocks& blocks;
  const JobModel& model;
  absl::Span<const HostBatch> batches;
  BlockIo& io;
  LayerMeter& meter;

  int first_layer() const { return task.first_layer(); }
  int last_layer() const { return task.last_layer(); }
  bool has_head() const { return last_layer() == model.table.layer_count(); }
  const LayerEntry& layer(int layer) const { return model.table.layers[layer]; }
  const ParameterBlock& block(int block) const {
    return model.table.parameter_blocks[block];
  }
};

// Puts the batch's tokens on the device, which may read them from `batch` until
// it is synchronized.
MicroBatch PromoteBatch(const HostBatch& batch, Device& device);

// The boundary tensor [sequences, context, width] that the task reads for its
// batch number `index`: an ACTIVATION or ACTIVATION_GRADIENT of `layer`.
at::Tensor PromoteBoundary(const Pass& pass, worker::v1::BlockKind kind,
                           int layer, int index, BlockIo::Reuse reuse);

// Writes a boundary tensor to its slot, zeroes what is left of the slot, and
// offers the tensor to the cache.
void DemoteBoundary(const Pass& pass, worker::v1::BlockKind kind, int layer,
                    int index, const at::Tensor& tensor);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_PASS_H_
