#include "worker/exec/forward_pass.h"

#include <utility>

#include "worker/exec/shard_parameters.h"

namespace hydra {
namespace {

using worker::v1::PassResult;

// A training step's activations are read again by its BACKWARD.
BlockIo::Reuse InputReuse(const Pass& pass) {
  return pass.task.kind() == worker::v1::TASK_KIND_FORWARD
             ? BlockIo::Reuse::kLikely
             : BlockIo::Reuse::kNever;
}

void Prefetch(const Pass& pass, bool is_last_batch) {
  if (pass.prefetcher == nullptr) return;
  if (is_last_batch) {
    pass.prefetcher->FetchNext(/*taken_bytes=*/0);
  } else {
    pass.prefetcher->FetchOwn();
  }
}

void RunBatch(const Pass& pass, int index, ShardParameters& parameters,
              PassResult& result) {
  const bool is_last_batch = index + 1 == static_cast<int>(pass.batches.size());
  pass.meter.SetMicroBatch(index);
  LayerInput input;
  input.micro_batch = PromoteBatch(pass.batches[index], pass.io);
  input.boundary = PromoteBoundary(pass, worker::v1::BLOCK_KIND_ACTIVATION,
                                   pass.first_layer(), index, InputReuse(pass));
  for (int layer = pass.first_layer(); layer < pass.last_layer(); ++layer) {
    pass.meter.Begin(layer, LayerMeter::Phase::kForward);
    Prefetch(pass, is_last_batch);
    parameters.Place(layer);
    pass.meter.ParametersPlaced();
    input.flats = parameters.FlatsOf(layer);
    LayerOutput output = pass.model.layers.layer(layer).Forward(input);
    input.boundary = std::move(output.boundary);
    AddLoss(output.loss, result);
    pass.meter.End();
  }
  if (!pass.makes_loss()) {
    DemoteBoundary(pass, worker::v1::BLOCK_KIND_ACTIVATION, pass.last_layer(),
                   index, input.boundary);
  }
}

}  // namespace

PassResult RunForwardPass(const Pass& pass) {
  PassResult result;
  ShardParameters parameters(pass);
  const int count = static_cast<int>(pass.batches.size());
  for (int i = 0; i < count; ++i) RunBatch(pass, i, parameters, result);
  return result;
}

}  // namespace hydra
