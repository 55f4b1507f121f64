#ifndef HYDRA_WORKER_EXEC_PASS_H_
#define HYDRA_WORKER_EXEC_PASS_H_

#include "ATen/core/Tensor.h"
#include "absl/types/span.h"
#include "common/chain/block_key.h"
#include "common/chain/layer_range.h"
#include "common/chain/streamed_block.h"
#include "worker/exec/batch_reader.h"
#include "worker/exec/block_io.h"
#include "worker/exec/block_scalars.h"
#include "worker/exec/job_model.h"
#include "worker/exec/layer_meter.h"
#include "worker/exec/prefetcher.h"
#include "worker/exec/task_blocks.h"
#include "worker/exec/update_results.h"
#include "worker/model/layer.h"
#include "worker/model/micro_batch.h"

namespace hydra {

// Whether the host updates the model's blocks, while the device goes on, and
// not the device: where optimizer state would have to go to the device and
// back, unless the job's place is the device; where that cannot do it; and
// where gradients wait in the pool, which is the host's.
bool UpdatesOnHost(const JobModel& model, const Device& device);

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
  UpdateResults& results;
  // Null where nothing is to be fetched before it is needed.
  Prefetcher* prefetcher = nullptr;
  // See StreamedBlock.
  int streamed_block = kNoBlock;

  int first_layer() const { return task.first_layer(); }
  int last_layer() const { return task.last_layer(); }
  LayerRange layers() const { return {first_layer(), last_layer()}; }
  // The model's last layer is one of the shard's.
  bool makes_loss() const { return last_layer() == model.table.layer_count(); }
  const LayerEntry& layer(int layer) const { return model.table.layers[layer]; }
  const ParameterBlock& block(int block) const {
    return model.table.parameter_blocks[block];
  }

  // The task's batches [first_batch, last_batch), as the keys of their blocks
  // number them: by the step's micro-batches, or from an evaluation's visit's
  // first one.
  int first_batch() const {
    return task.kind() == worker::v1::TASK_KIND_EVALUATE
               ? 0
               : task.first_micro_batch();
  }
  int last_batch() const {
    return first_batch() + static_cast<int>(batches.size());
  }
  // Gradients add to what earlier rounds of the step added up.
  bool continues_sums() const { return task.first_micro_batch() > 0; }
  bool updates_on_host() const { return UpdatesOnHost(model, io.device()); }
  // The block comes to the device in ranges, for the one layer that uses it
  // here.
  bool streams(int block) const { return block == streamed_block; }
  // What its update in the task's step computes with.
  BlockScalars ScalarsOf(int block) const;
  // Of the optimizer, from 1: that of the step, less those that an overflow of
  // the scaled loss's gradients left out.
  int64_t update_number() const {
    return task.step() + 1 - task.skipped_steps();
  }
  bool is_last(int batch) const { return batch + 1 == last_batch(); }
  const HostBatch& batch(int batch) const {
    return batches[batch - first_batch()];
  }
};

// Puts the batch's tokens on the device, its targets where they are not those,
// and, for the model's first layer, lengths and token types of its sequences,
// or its examples.
MicroBatch PromoteBatch(const Pass& pass, int batch_number);

// The boundary tensors that lie in the block `boundary`, which the task reads:
// an ACTIVATION, or an ACTIVATION_GRADIENT, which has room for all of them, and
// undefined tensors in place of those that are not fp32. None before the first
// layer.
Tensors PromoteBoundary(const Pass& pass, const BlockKey& boundary,
                        BlockIo::Reuse reuse);

// Writes such tensors to their slot, zeroes what is left of the slot, and
// offers them to the cache. Undefined ones leave zeros.
void DemoteBoundary(const Pass& pass, const BlockKey& boundary,
                    const Tensors& tensors);

void AddLoss(const LossSum& loss, worker::v1::PassResult& result);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_PASS_H_
