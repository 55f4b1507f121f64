#include "worker/exec/pass.h"

#include "ATen/ops/empty.h"

namespace hydra {

using worker::v1::BlockKind;
using worker::v1::BlockVersion;

MicroBatch PromoteBatch(const HostBatch& batch, Device& device) {
  MicroBatch micro_batch;
  micro_batch.tokens = at::empty(
      {batch.sequences, batch.context + 1},
      at::TensorOptions().dtype(at::kLong).device(device.torch_device()));
  device.CopyToDevice(
      absl::MakeConstSpan(
          reinterpret_cast<const std::byte*>(batch.tokens.data()),
          batch.tokens.size() * sizeof(int64_t)),
      micro_batch.tokens);
  micro_batch.seed = batch.seed;
  micro_batch.gradient_scale = batch.gradient_scale;
  micro_batch.training = batch.training;
  return micro_batch;
}

at::Tensor PromoteBoundary(const Pass& pass, BlockKind kind, int layer,
                           int index, BlockIo::Reuse reuse) {
  const HostBatch& batch = pass.batches[index];
  const BoundaryTensor& tensor = pass.model.table.BoundaryBefore(layer).front();
  return pass.io
      .Promote(pass.blocks.Read(kind, layer, index),
               tensor.Bytes(batch.sequences, batch.context) / kFloatBytes,
               reuse)
      .view(tensor.ShapeOf(batch.sequences, batch.context));
}

void DemoteBoundary(const Pass& pass, BlockKind kind, int layer, int index,
                    const at::Tensor& tensor) {
  const BlockVersion& version = pass.blocks.Written(kind, layer, index);
  const at::Tensor flat = tensor.detach().contiguous().view({-1});
  pass.io.Demote(flat, version, 0);
  pass.io.ZeroTail(version, flat.numel());
  pass.io.Keep(version, flat);
}

}  // namespace hydra
