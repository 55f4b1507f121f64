#include "tests/reference/reference_trainer.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/where.h"
#include "ATen/ops/zeros.h"
#include "common/data/batch_plan.h"
#include "common/jobfile/validate.h"
#include "common/model/bert_table.h"
#include "common/model/factored_moments.h"
#include "common/model/loss_scale.h"
#include "common/model/optimizer.h"
#include "common/model/resnet_table.h"
#include "worker/model/adafactor.h"
#include "worker/model/block_views.h"
#include "worker/model/classifier_layer.h"
#include "worker/model/element_type.h"
#include "worker/model/final_norm.h"
#include "worker/model/finite_check.h"
#include "worker/model/gradient_norm.h"
#include "worker/model/known_layers.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_registry.h"
#include "worker/model/parameter_init.h"
#include "worker/model/resnet_head.h"
#include "worker/model/row_gradients.h"

namespace hydra {
namespace {

using hydra::v1::TrainSpec;

TrainSpec WithDefaults(const TrainSpec& train) {
  hydra::v1::JobSpec job;
  *job.mutable_train() = train;
  FillDefaults(&job);
  return job.train();
}

MicroBatch BatchOf(
    const ReferenceBatch& given,
    ReferenceTrainer::Mode mode = ReferenceTrainer::Mode::kEvaluation) {
  if (given.whole.tokens.defined()) {
    MicroBatch whole = given.whole;
    whole.training = mode == ReferenceTrainer::Mode::kTraining;
    return whole;
  }
  MicroBatch batch;
  batch.training = mode == ReferenceTrainer::Mode::kTraining;
  if (given.examples.defined()) {
    batch.examples = given.examples;
    batch.targets = given.classes.view({-1, 1});
    return batch;
  }
  const at::Tensor& marked = given.tokens;
  const at::Tensor is_untrained = marked.lt(0);
  batch.tokens = at::where(is_untrained, marked.bitwise_not(), marked);
  const at::Tensor no_targets = is_untrained.narrow(1, 1, batch.context());
  batch.untrained_targets = no_targets.sum().item<int64_t>();
  if (batch.untrained_targets > 0) {
    batch.targets = batch.tokens.narrow(1, 1, batch.context())
                        .masked_fill(no_targets, kNoTarget);
  }
  return batch;
}

at::Tensor ZeroFlat(const ParameterBlock& block) {
  return at::zeros({block.element_count()});
}

}  // namespace

ReferenceTrainer::ReferenceTrainer(ModelTable table, const TrainSpec& train,
                                   const ReadLayerFile& read)
    : table_(std::move(table)),
      layers_(ModelLayers::Build(table_, KnownLayers(), read).value()),
      train_(WithDefaults(train)) {
  const int64_t moments = OptimizerStateFactor(train_);
  for (const ParameterBlock& block : table_.parameter_blocks) {
    const int64_t kept = block.frozen ? 0 : moments;
    parameters_.push_back(ZeroFlat(block));
    first_moments_.push_back(kept > 0 ? ZeroFlat(block) : at::Tensor());
    second_moments_.push_back(kept > 1 ? ZeroFlat(block) : at::Tensor());
    factored_states_.push_back(
        !block.frozen && FactorsMoments(train_)
            ? at::zeros({FactoredStateBytes(block) / kFloatBytes})
            : at::Tensor());
  }
  gradients_.resize(parameters_.size());
  for (const LayerEntry& layer : table_.layers) {
    Tensors& gradients = layer_gradients_.emplace_back();
    for (int block : layer.parameter_blocks) {
      gradients.push_back(IsFrozen(block)
                              ? at::Tensor()
                              : ZeroFlat(table_.parameter_blocks[block]));
      gradients_[block] = gradients.back();
    }
  }
}

void ReferenceTrainer::InitializeRandomly() {
  for (size_t i = 0; i < parameters_.size(); ++i) Initialize(i);
}

void ReferenceTrainer::Initialize(size_t block) {
  for (const TensorEntry& tensor : table_.parameter_blocks[block].tensors) {
    InitTensor(tensor, train_.seed(),
               parameters_[block].mutable_data_ptr<float>() +
                   table_.parameter_blocks[block].FirstElement(tensor));
  }
}

LossSum ReferenceTrainer::Step(
    const std::vector<ReferenceBatch>& micro_batches) {
  int64_t step_tokens = 0;
  for (const ReferenceBatch& batch : micro_batches) {
    step_tokens += BatchOf(batch).target_count();
  }
  LossSum total;
  for (size_t i = 0; i < micro_batches.size(); ++i) {
    const LossSum loss = ForwardAndBackward(
        Describe(micro_batches[i], step_tokens, i), /*accumulate=*/i > 0);
    total.loss_sum += loss.loss_sum;
    total.tokens += loss.tokens;
  }
  SumGradients();
  const bool updated = std::isfinite(total.loss_sum) && Update();
  if (ScalesLoss(train_)) {
    loss_scale_ = AfterStep(loss_scale_, /*overflowed=*/!updated, train_);
  }
  ++steps_;
  return total;
}

LossSum ReferenceTrainer::Evaluate(const ReferenceBatch& batch,
                                   Mode mode) const {
  return Forward(BatchOf(batch, mode), table_.layer_count()).loss;
}

at::Tensor ReferenceTrainer::Logits(const ReferenceBatch& batch,
                                    Mode mode) const {
  const MicroBatch micro_batch = BatchOf(batch, mode);
  const int head = table_.layer_count() - 1;
  LayerContext context{table_.layers[head], {}, head};
  for (int block : table_.layers[head].parameter_blocks) {
    context.blocks.push_back(table_.parameter_blocks[block]);
  }
  const Tensors flats = FlatsOf(head);
  const at::Tensor hidden = Forward(micro_batch, head).boundary.front();
  if (table_.examples.has_value()) {
    return context.entry.op == kResnetHeadOp
               ? ResnetHead(context).Logits(hidden, flats)
               : ClassifierLayer(context).Logits(hidden, flats);
  }
  const LayerBlocks blocks(context);
  const Tensors norm = blocks.WidenedViews(0, flats);
  const Tensors weight = blocks.WidenedViews(1, flats);
  Tensors statistics;
  const at::Tensor logits = FinalNormOf(table_.layers[head])
                                ->Forward(hidden, norm, &statistics)
                                .view({-1, hidden.size(-1)})
                                .mm(weight.front().t());
  return table_.layers[head].op == kBertMaskedHeadOp
             ? logits + norm[bert_head::kBias]
             : logits;
}

MicroBatch ReferenceTrainer::Describe(const ReferenceBatch& given,
                                      int64_t step_tokens,
                                      int64_t index) const {
  MicroBatch batch = BatchOf(given);
  batch.seed = DropoutSeed(train_.seed(), steps_, index);
  batch.gradient_scale = loss_scale() / std::max<int64_t>(step_tokens, 1);
  batch.training = true;
  batch.label_smoothing = train_.label_smoothing_factor();
  return batch;
}

LayerOutput ReferenceTrainer::Forward(const MicroBatch& batch,
                                      int last_layer) const {
  LayerOutput output;
  for (int layer = 0; layer < last_layer; ++layer) {
    output = layers_.layer(layer).Forward(
        {FlatsOf(layer), std::move(output.boundary), batch});
  }
  return output;
}

LossSum ReferenceTrainer::ForwardAndBackward(const MicroBatch& batch,
                                             bool accumulate) {
  std::vector<Tape> tapes;
  Tensors boundary;
  for (int layer = 0; layer < table_.layer_count(); ++layer) {
    tapes.push_back(
        layers_.layer(layer).Record({FlatsOf(layer), boundary, batch}));
    boundary = tapes.back().outputs;
  }

  LossSum loss;
  LayerGradients made;
  const int first = table_.FirstTrainedLayer();
  for (int layer = table_.layer_count() - 1; layer >= first; --layer) {
    const std::vector<int>& blocks = table_.layers[layer].parameter_blocks;
    Tensors flats = layer_gradients_[layer];
    for (size_t i = 0; i < flats.size(); ++i) {
      if (Gathers(layer, blocks[i])) flats[i] = at::Tensor();
    }
    made = layers_.layer(layer).Backward(std::move(tapes[layer]),
                                         Tensors(std::move(made.inputs)), flats,
                                         accumulate);
    if (layer + 1 == table_.layer_count()) loss = made.loss;
    for (size_t i = 0; i < flats.size(); ++i) {
      if (!Gathers(layer, blocks[i]) || IsFrozen(blocks[i])) continue;
      const at::Tensor& flat = layer_gradients_[layer][i];
      if (!accumulate) flat.zero_();
      const at::Tensor rows =
          TensorViews(table_.parameter_blocks[blocks[i]], flat).front();
      AddRowGradients(*made.rows, 0, rows.size(0), rows);
    }
  }
  return loss;
}

// What stands where the last user's sum is becomes the sum of all.
void ReferenceTrainer::SumGradients() {
  for (int layer = table_.layer_count() - 1; layer >= 0; --layer) {
    const std::vector<int>& blocks = table_.layers[layer].parameter_blocks;
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (IsFrozen(blocks[i]) ||
          table_.parameter_blocks[blocks[i]].layers.back() == layer) {
        continue;
      }
      gradients_[blocks[i]].add_(layer_gradients_[layer][i]);
    }
  }
}

double ReferenceTrainer::NormOfGradients() const {
  std::vector<double> squares;
  for (size_t i = 0; i < gradients_.size(); ++i) {
    if (IsFrozen(i)) continue;
    squares.push_back(GradientSquares(table_.parameter_blocks[i],
                                      gradients_[i].const_data_ptr<float>()));
  }
  return GradientNorm(squares);
}

void ReferenceTrainer::UpdateFactored(float gradient_scale) {
  AdafactorScalars scalars = AdafactorScalarsAt(
      At(train_, steps_, train_.max_steps()), UpdateNumber());
  scalars.gradient_scale = gradient_scale;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (IsFrozen(i) || !AllFinite(gradients_[i])) continue;
    AdafactorArrays arrays;
    arrays.gradient = gradients_[i].const_data_ptr<float>();
    float* const parameters = parameters_[i].mutable_data_ptr<float>();
    float* const state = factored_states_[i].mutable_data_ptr<float>();
    std::vector<float> new_parameters(parameters,
                                      parameters + parameters_[i].numel());
    std::vector<float> new_state(state, state + factored_states_[i].numel());
    arrays.parameters = parameters;
    arrays.state = state;
    arrays.new_parameters = new_parameters.data();
    arrays.new_state = new_state.data();
    UpdateTensors(scalars, table_.parameter_blocks[i],
                  train_.no_decay_biases_and_norms(), arrays);
    // Of a gradient whose square is infinite.
    if (!new_state.empty() &&
        !AllFinite(new_state.data(), static_cast<int64_t>(new_state.size()))) {
      continue;
    }
    std::copy(new_parameters.begin(), new_parameters.end(), parameters);
    std::copy(new_state.begin(), new_state.end(), state);
  }
}

double ReferenceTrainer::loss_scale() const {
  return ScalesLoss(train_) ? ScaleOf(loss_scale_, train_) : 1;
}

int64_t ReferenceTrainer::UpdateNumber() const {
  return steps_ + 1 - loss_scale_.skipped_steps();
}

bool ReferenceTrainer::Update() {
  float gradient_scale = 1;
  if (train_.max_grad_norm() > 0 || ScalesLoss(train_)) {
    const double norm = NormOfGradients() / loss_scale();
    if (!std::isfinite(norm)) return false;
    gradient_scale = static_cast<float>(1 / loss_scale());
    if (train_.max_grad_norm() > 0) {
      gradient_scale *= ClipFactor(train_.max_grad_norm(), norm);
    }
  }
  if (FactorsMoments(train_)) {
    UpdateFactored(gradient_scale);
    return true;
  }
  Hyperparameters hyperparameters = At(train_, steps_, train_.max_steps());
  UpdateScalars scalars = ScalarsAt(hyperparameters, UpdateNumber());
  hyperparameters.weight_decay = 0;
  UpdateScalars without_decay = ScalarsAt(hyperparameters, UpdateNumber());
  UpdateScalars taken;
  taken.rule = UpdateScalars::Rule::kTake;
  scalars.gradient_scale = gradient_scale;
  without_decay.gradient_scale = gradient_scale;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (IsFrozen(i) || !AllFinite(gradients_[i])) continue;
    const ParameterBlock& block = table_.parameter_blocks[i];
    for (const TensorEntry& tensor : block.tensors) {
      const bool decays =
          !train_.no_decay_biases_and_norms() || tensor.shape.size() > 1;
      const auto part = [&](const at::Tensor& flat) {
        return flat.defined() ? flat.narrow(0, block.FirstElement(tensor),
                                            tensor.element_count)
                              : flat;
      };
      const UpdateScalars& own = tensor.use != TensorUse::kParameter ? taken
                                 : decays                            ? scalars
                                          : without_decay;
      UpdateRange(own, part(parameters_[i]), part(gradients_[i]),
                  part(first_moments_[i]), part(second_moments_[i]));
    }
  }
  return true;
}

bool ReferenceTrainer::Gathers(int layer, int block) const {
  return table_.parameter_blocks[block].gathered_by(layer);
}

Tensors ReferenceTrainer::FlatsOf(int layer) const {
  Tensors flats;
  for (int block : table_.layers[layer].parameter_blocks) {
    flats.push_back(Rounded(block));
  }
  return flats;
}

at::Tensor ReferenceTrainer::Rounded(int block) const {
  return parameters_[block].to(
      TorchTypeOf(table_.parameter_blocks[block].type));
}

}  // namespace hydra
