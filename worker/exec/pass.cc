#include "worker/exec/pass.h"

#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "c10/core/ScalarType.h"
#include "common/model/loss_scale.h"
#include "worker/exec/update_costs.h"
#include "worker/model/optimizer_step.h"

namespace hydra {

using worker::v1::BlockVersion;

namespace {

std::vector<BoundaryPlace> PlacesOf(const Pass& pass,
                                    const BlockKey& boundary) {
  const HostBatch& batch = pass.batch(boundary.micro_batch);
  return pass.model.table.BoundaryPlaces(boundary.index, batch.sequences,
                                         batch.context);
}

int64_t Floats(int64_t bytes) { return bytes / kFloatBytes; }

// The floats of the whole boundary that lie at `place`.
at::Tensor At(const BoundaryPlace& place, const at::Tensor& flat) {
  return flat.narrow(0, Floats(place.begin_bytes),
                     Floats(place.end_bytes - place.begin_bytes));
}

at::Tensor AsFloats(const at::Tensor& tensor) {
  return tensor.detach().contiguous().view({-1}).view(at::kFloat);
}

// `numbers` on the device, in so many rows; of none: undefined.
template <typename Number>
at::Tensor PromoteRows(const std::vector<Number>& numbers, int64_t rows,
                       BlockIo& io) {
  if (numbers.empty()) return {};
  const at::Tensor promoted =
      at::empty({rows, static_cast<int64_t>(numbers.size()) / rows},
                at::TensorOptions()
                    .dtype(c10::CppTypeToScalarType<Number>::value)
                    .device(io.device().torch_device()));
  io.PromoteBytes(
      absl::MakeConstSpan(reinterpret_cast<const std::byte*>(numbers.data()),
                          numbers.size() * sizeof(Number)),
      promoted);
  return promoted;
}

// Several tensors in one, each at its place.
at::Tensor Packed(const Tensors& tensors,
                  const std::vector<BoundaryPlace>& places, const BlockIo& io) {
  const at::Tensor flat = io.Empty({Floats(places.back().end_bytes)}).zero_();
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].defined()) continue;
    At(places[i], flat).copy_(AsFloats(tensors[i]));
  }
  return flat;
}

}  // namespace

BlockScalars Pass::ScalarsOf(int block_number) const {
  return {ScalarsAt(model.HyperparametersAt(task.step()), update_number()),
          model.train, block(block_number)};
}

bool UpdatesOnHost(const JobModel& model, const Device& device) {
  if (model.shape.gradients_wait()) return true;
  if (device.HostMemoryIsDeviceMemory()) return false;
  return !CanUpdate(device) ||
         (model.shape.KeepsState() &&
          model.update_place != hydra::v1::UPDATE_PLACE_DEVICE);
}

MicroBatch PromoteBatch(const Pass& pass, int batch_number) {
  const HostBatch& batch = pass.batch(batch_number);
  BlockIo& io = pass.io;
  MicroBatch micro_batch;
  micro_batch.tokens = PromoteRows(batch.tokens, batch.sequences, io);
  micro_batch.targets = PromoteRows(batch.targets, batch.sequences, io);
  if (pass.first_layer() == 0) {
    const at::Tensor lengths = PromoteRows(batch.lengths, /*rows=*/1, io);
    if (lengths.defined()) micro_batch.lengths = lengths.view({-1});
    micro_batch.token_types =
        PromoteRows(batch.token_types, batch.sequences, io);
    micro_batch.examples = PromoteRows(batch.examples, batch.sequences, io);
  }
  micro_batch.untrained_targets = batch.untrained_targets;
  micro_batch.seed = batch.seed;
  micro_batch.gradient_scale =
      batch.gradient_scale * ScaleOrOne(pass.task.loss_scale());
  micro_batch.training = batch.training;
  micro_batch.label_smoothing = batch.label_smoothing;
  return micro_batch;
}

Tensors PromoteBoundary(const Pass& pass, const BlockKey& boundary,
                        BlockIo::Reuse reuse) {
  if (boundary.index == 0) return {};
  const HostBatch& batch = pass.batch(boundary.micro_batch);
  const std::vector<BoundaryPlace> places = PlacesOf(pass, boundary);
  const at::Tensor flat = pass.io.Promote(
      pass.blocks.Read(boundary), Floats(places.back().end_bytes), reuse);
  const bool are_gradients =
      boundary.kind == worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT;
  Tensors tensors;
  for (const BoundaryPlace& place : places) {
    const bool is_float = place.tensor->type == ElementType::kFloat32;
    if (are_gradients && !is_float) {
      tensors.emplace_back();
      continue;
    }
    at::Tensor range = At(place, flat);
    if (!is_float) range = range.view(at::kLong);
    tensors.push_back(
        range.view(place.tensor->ShapeOf(batch.sequences, batch.context)));
  }
  return tensors;
}

void DemoteBoundary(const Pass& pass, const BlockKey& boundary,
                    const Tensors& tensors) {
  const BlockVersion& version = pass.blocks.Written(boundary);
  const at::Tensor flat =
      tensors.size() == 1 && tensors.front().defined()
          ? AsFloats(tensors.front())
          : Packed(tensors, PlacesOf(pass, boundary), pass.io);
  pass.io.Demote(flat, version, 0);
  pass.io.ZeroTail(version, flat.numel());
  pass.io.Keep(version, flat);
}

void AddLoss(const LossSum& loss, worker::v1::PassResult& result) {
  if (loss.tokens == 0) return;
  result.set_loss_sum(result.loss_sum() + loss.loss_sum);
  result.set_loss_tokens(result.loss_tokens() + loss.tokens);
  result.set_correct(result.correct() + loss.correct);
}

}  // namespace hydra
