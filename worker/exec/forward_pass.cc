#include "worker/exec/forward_pass.h"

#include <utility>

#include "common/chain/block_key.h"
#include "common/chain/chain_task.h"
#include "worker/exec/shard_parameters.h"

namespace hydra {
namespace {

using worker::v1::PassResult;

// A training step's activations are read again by its BACKWARD, if there is
// one.
BlockIo::Reuse InputReuse(const Pass& pass) {
  return pass.task.kind() == worker::v1::TASK_KIND_FORWARD &&
                 HandsGradientsDown(pass.model.table, pass.last_layer())
             ? BlockIo::Reuse::kLikely
             : BlockIo::Reuse::kNever;
}

void Prefetch(const Pass& pass, int batch) {
  if (pass.prefetcher == nullptr) return;
  if (pass.is_last(batch)) {
    pass.prefetcher->FetchNext(/*taken_bytes=*/0);
  } else {
    pass.prefetcher->FetchOwn();
  }
}

void RunBatch(const Pass& pass, int batch, ShardParameters& parameters,
              PassResult& result) {
  pass.meter.SetMicroBatch(batch);
  LayerInput input;
  input.micro_batch = PromoteBatch(pass, batch);
  input.boundary = PromoteBoundary(
      pass, ActivationKey(pass.first_layer(), batch), InputReuse(pass));
  for (int layer = pass.first_layer(); layer < pass.last_layer(); ++layer) {
    pass.meter.Begin(layer, LayerMeter::Phase::kForward);
    Prefetch(pass, batch);
    parameters.Place(layer);
    pass.meter.ParametersPlaced();
    input.flats = parameters.FlatsOf(layer);
    input.rows = parameters.RowsOf(layer);
    LayerOutput output = pass.model.layers.layer(layer).Forward(input);
    input.boundary = std::move(output.boundary);
    // Only the first layer takes them.
    input.micro_batch.examples.reset();
    AddLoss(output.loss, result);
    pass.meter.End();
  }
  if (!pass.makes_loss()) {
    DemoteBoundary(pass, ActivationKey(pass.last_layer(), batch),
                   input.boundary);
  }
}

}  // namespace

PassResult RunForwardPass(const Pass& pass) {
  PassResult result;
  ShardParameters parameters(pass);
  for (int batch = pass.first_batch(); batch < pass.last_batch(); ++batch) {
    PassResult of_batch;
    RunBatch(pass, batch, parameters, of_batch);
    AddLoss({of_batch.loss_sum(), of_batch.loss_tokens(), of_batch.correct()},
            result);
    if (pass.makes_loss()) result.add_batch_loss_sums(of_batch.loss_sum());
  }
  return result;
}

}  // namespace hydra
