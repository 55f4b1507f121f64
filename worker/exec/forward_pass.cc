#include "worker/exec/forward_pass.h"

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

void AddLoss(const Pass& pass, ShardParameters& parameters,
             const at::Tensor& input, const MicroBatch& micro_batch,
             PassResult& result) {
  const int layer = pass.last_layer() - 1;
  pass.meter.Begin(layer, LayerMeter::Phase::kForward);
  parameters.Place(layer);
  pass.meter.ParametersPlaced();
  const LossSum loss = pass.model.layers.head().Loss(
      parameters.Block(pass.layer(layer).parameter_blocks.front()),
      parameters.HeadWeight(), input, micro_batch);
  pass.meter.End();
  result.set_loss_sum(result.loss_sum() + loss.loss_sum);
  result.set_loss_tokens(result.loss_tokens() + loss.tokens);
}

void RunBatch(const Pass& pass, int index, ShardParameters& parameters,
              PassResult& result) {
  pass.meter.SetMicroBatch(index);
  const MicroBatch micro_batch =
      PromoteBatch(pass.batches[index], pass.io.device());
  at::Tensor boundary;
  if (pass.first_layer() > 0) {
    boundary = PromoteBoundary(pass, worker::v1::BLOCK_KIND_ACTIVATION,
                               pass.first_layer(), index, InputReuse(pass));
  }
  const int chain_end = pass.last_layer() - (pass.has_head() ? 1 : 0);
  for (int layer = pass.first_layer(); layer < chain_end; ++layer) {
    pass.meter.Begin(layer, LayerMeter::Phase::kForward);
    parameters.Place(layer);
    pass.meter.ParametersPlaced();
    boundary = parameters.Forward(layer, boundary, micro_batch);
    pass.meter.End();
  }
  if (pass.has_head()) {
    AddLoss(pass, parameters, boundary, micro_batch, result);
  } else {
    DemoteBoundary(pass, worker::v1::BLOCK_KIND_ACTIVATION, pass.last_layer(),
                   index, boundary);
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
