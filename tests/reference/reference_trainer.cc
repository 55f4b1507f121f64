#include "tests/reference/reference_trainer.h"

#include <cmath>
#include <utility>

#include "ATen/ATen.h"
#include "common/jobfile/validate.h"
#include "common/model/optimizer.h"
#include "worker/model/block_views.h"
#include "worker/model/finite_check.h"
#include "worker/model/layer_norm.h"
#include "worker/model/parameter_init.h"

namespace hydra {
namespace {

using hydra::v1::TrainSpec;

TrainSpec WithDefaults(const TrainSpec& train) {
  hydra::v1::JobSpec job;
  *job.mutable_train() = train;
  FillDefaults(&job);
  return job.train();
}

Gpt2Config WithDropout(Gpt2Config config, const TrainSpec& train) {
  if (train.has_dropout()) {
    config.embd_pdrop = config.attn_pdrop = config.resid_pdrop =
        train.dropout();
  }
  return config;
}

at::Tensor ZeroFlat(const ParameterBlock& block) {
  return at::zeros({block.element_count()});
}

}  // namespace

ReferenceTrainer::ReferenceTrainer(const Gpt2Config& config,
                                   const TrainSpec& train)
    : table_(BuildGpt2Table(WithDropout(config, train))),
      layers_(ModelLayers::Build(table_)),
      train_(WithDefaults(train)),
      token_gradient_(ZeroFlat(table_.parameter_blocks.front())) {
  const int64_t moments = OptimizerStateFactor(train_);
  for (const ParameterBlock& block : table_.parameter_blocks) {
    parameters_.push_back(ZeroFlat(block));
    gradients_.push_back(ZeroFlat(block));
    first_moments_.push_back(moments > 0 ? ZeroFlat(block) : at::Tensor());
    second_moments_.push_back(moments > 1 ? ZeroFlat(block) : at::Tensor());
  }
}

void ReferenceTrainer::InitializeRandomly() {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    for (const TensorEntry& tensor : table_.parameter_blocks[i].tensors) {
      InitTensor(tensor, train_.seed(),
                 parameters_[i].mutable_data_ptr<float>() +
                     tensor.offset_bytes / kFloatBytes);
    }
  }
}

LossSum ReferenceTrainer::Step(const std::vector<at::Tensor>& micro_batches) {
  int64_t step_tokens = 0;
  for (const at::Tensor& tokens : micro_batches) {
    step_tokens += tokens.size(0) * (tokens.size(1) - 1);
  }
  token_gradient_.zero_();
  LossSum total;
  for (size_t i = 0; i < micro_batches.size(); ++i) {
    const LossSum loss = ForwardAndBackward(
        Describe(micro_batches[i], step_tokens, i), /*accumulate=*/i > 0);
    total.loss_sum += loss.loss_sum;
    total.tokens += loss.tokens;
  }
  if (std::isfinite(total.loss_sum)) Update();
  ++steps_;
  return total;
}

LossSum ReferenceTrainer::Evaluate(const at::Tensor& batch) const {
  MicroBatch micro_batch;
  micro_batch.tokens = batch;
  const std::vector<int>& head = table_.layers.back().parameter_blocks;
  return layers_.head().Loss(parameters_[head[0]],
                             OnlyTensorOf(head[1], parameters_),
                             Forward(micro_batch), micro_batch);
}

at::Tensor ReferenceTrainer::Logits(const at::Tensor& batch) const {
  MicroBatch micro_batch;
  micro_batch.tokens = batch;
  const std::vector<int>& head = table_.layers.back().parameter_blocks;
  const std::vector<at::Tensor> norm =
      TensorViews(table_.parameter_blocks[head[0]], parameters_[head[0]]);
  NormStatistics statistics;
  return LayerNormForward(Forward(micro_batch), norm[0], norm[1],
                          table_.config.layer_norm_epsilon, &statistics)
      .view({-1, table_.config.n_embd})
      .mm(OnlyTensorOf(head[1], parameters_).t());
}

MicroBatch ReferenceTrainer::Describe(const at::Tensor& tokens,
                                      int64_t step_tokens,
                                      int64_t index) const {
  MicroBatch batch;
  batch.tokens = tokens;
  batch.seed = DropoutSeed(train_.seed(), steps_, index);
  batch.gradient_scale = 1.0 / step_tokens;
  batch.training = true;
  return batch;
}

at::Tensor ReferenceTrainer::Forward(const MicroBatch& batch) const {
  at::Tensor boundary =
      layers_.embedding().Forward(OnlyTensorOf(BlocksOf(0)[0], parameters_),
                                  parameters_[BlocksOf(0)[1]], batch);
  for (int layer = 1; layer < table_.layer_count() - 1; ++layer) {
    boundary = layers_.block(layer).Forward(FlatsOf(layer, parameters_),
                                            boundary, batch);
  }
  return boundary;
}

LossSum ReferenceTrainer::ForwardAndBackward(const MicroBatch& batch,
                                             bool accumulate) {
  const int tokens = BlocksOf(0)[0];
  const int positions = BlocksOf(0)[1];
  const int head = table_.layer_count() - 1;

  std::vector<Tape> tapes(1);
  tapes[0].output = layers_.embedding().Forward(
      OnlyTensorOf(tokens, parameters_), parameters_[positions], batch);
  for (int layer = 1; layer < head; ++layer) {
    tapes.push_back(layers_.block(layer).Record(FlatsOf(layer, parameters_),
                                                tapes.back().output, batch));
  }

  at::Tensor gradient;
  const int head_norm = BlocksOf(head)[0];
  const int head_weight = BlocksOf(head)[1];
  const LossSum loss = layers_.head().LossAndBackward(
      parameters_[head_norm], OnlyTensorOf(head_weight, parameters_),
      tapes.back().output.detach(), batch, gradients_[head_norm],
      OnlyTensorOf(head_weight, gradients_), accumulate, &gradient);
  for (int layer = head - 1; layer >= 1; --layer) {
    gradient =
        layers_.block(layer).Backward(std::move(tapes[layer]), gradient,
                                      FlatsOf(layer, gradients_), accumulate);
  }
  AddTokenRowGradients(
      batch.Inputs(),
      layers_.embedding().Backward(gradient, gradients_[positions], accumulate,
                                   batch),
      0, table_.config.vocab_size,
      TensorViews(table_.parameter_blocks[tokens], token_gradient_).front());
  return loss;
}

void ReferenceTrainer::Update() {
  const ParameterBlock& tokens = table_.parameter_blocks[BlocksOf(0)[0]];
  at::Tensor& gradient = gradients_[BlocksOf(0)[0]];
  if (tokens.tied()) {
    gradient.add_(token_gradient_);
  } else {
    gradient.copy_(token_gradient_);
  }
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!AllFinite(gradients_[i])) continue;
    UpdateRange(At(train_, steps_, train_.max_steps()), steps_ + 1,
                parameters_[i], gradients_[i], first_moments_[i],
                second_moments_[i]);
  }
}

const std::vector<int>& ReferenceTrainer::BlocksOf(int layer) const {
  return table_.layers[layer].parameter_blocks;
}

at::Tensor ReferenceTrainer::OnlyTensorOf(
    int block, const std::vector<at::Tensor>& flats) const {
  return TensorViews(table_.parameter_blocks[block], flats[block]).front();
}

std::vector<at::Tensor> ReferenceTrainer::FlatsOf(
    int layer, const std::vector<at::Tensor>& flats) const {
  std::vector<at::Tensor> result;
  for (int block : BlocksOf(layer)) result.push_back(flats[block]);
  return result;
}

}  // namespace hydra
