#include "worker/model/bert_block.h"

#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "common/model/bert_table.h"
#include "worker/model/gelu.h"
#include "worker/model/layer_norm.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {
namespace {

// Of Tape::saved.
enum Saved {
  kQuery,
  kKey,
  kValue,
  kAttended,
  kLogSumExp,
  // The residual sums, before their norms.
  kSum1,
  // Before the activation.
  kExpanded,
  kSum2,
  kSavedCount,
};

// branch + residual, in place of the branch, of which some is dropped.
at::Tensor AddResidual(const at::Tensor& branch, const Dropout& dropout,
                       const at::Tensor& residual) {
  DropOut(branch, dropout);
  return branch.add_(residual);
}

// The gradient of AddResidual's branch.
at::Tensor BranchGradient(const at::Tensor& gradient, const Dropout& dropout) {
  if (dropout.probability == 0) return gradient;
  at::Tensor branch = gradient.clone();
  DropOut(branch, dropout);
  return branch;
}

}  // namespace

BertBlock::BertBlock(const LayerContext& context)
    : BlockLayer(context),
      heads_(static_cast<int64_t>(context.entry.attributes.at(bert::kHeads))),
      epsilon_(context.entry.attributes.at(bert::kEpsilon)),
      attention_dropout_(context.entry.attributes.at(bert::kAttentionDropout)),
      residual_dropout_(context.entry.attributes.at(bert::kDropout)) {}

BertBlock::Views BertBlock::ViewsOf(Parameters parameters) {
  Views views;
  views.query = parameters.NextProjection(true);
  views.key = parameters.NextProjection(true);
  views.value = parameters.NextProjection(true);
  views.attention_output = parameters.NextProjection(true);
  views.norm_1_weight = parameters.Next();
  views.norm_1_bias = parameters.Next();
  views.expand = parameters.NextProjection(true);
  views.contract = parameters.NextProjection(true);
  views.norm_2_weight = parameters.Next();
  views.norm_2_bias = parameters.Next();
  return views;
}

at::Tensor BertBlock::Compute(const at::Tensor& input,
                              const Parameters& parameters,
                              const MicroBatch& batch, Tensors* saved) const {
  const Views p = ViewsOf(parameters);
  Tensors kept(kSavedCount);
  // What only a backward pass needs goes as soon as it is used.
  const auto release = [&](Saved what) {
    if (saved == nullptr) kept[what].reset();
  };

  kept[kQuery] = Project(input, p.query);
  kept[kKey] = Project(input, p.key);
  kept[kValue] = Project(input, p.value);
  Attended attended =
      Attend({kept[kQuery], kept[kKey], kept[kValue]}, ShapeOf(batch));
  for (Saved what : {kQuery, kKey, kValue}) release(what);
  kept[kAttended] = std::move(attended.output);
  kept[kLogSumExp] = std::move(attended.log_sum_exp);
  at::Tensor hidden = Project(kept[kAttended], p.attention_output);
  release(kAttended);
  kept[kSum1] = AddResidual(hidden, DropoutOf(kAttentionMask, batch), input);
  NormStatistics statistics;
  const at::Tensor normalized = LayerNormForward(
      kept[kSum1], p.norm_1_weight, p.norm_1_bias, epsilon_, &statistics);
  release(kSum1);

  kept[kExpanded] = Project(normalized, p.expand);
  if (saved == nullptr) {
    hidden = Take(kept[kExpanded]);
    GeluInPlace(hidden, GeluFormula::kErf);
  } else {
    hidden = Gelu(kept[kExpanded], GeluFormula::kErf);
  }
  hidden = Project(hidden, p.contract);
  kept[kSum2] =
      AddResidual(hidden, DropoutOf(kFeedForwardMask, batch), normalized);
  hidden = LayerNormForward(kept[kSum2], p.norm_2_weight, p.norm_2_bias,
                            epsilon_, &statistics);
  if (saved != nullptr) *saved = std::move(kept);
  return hidden;
}

at::Tensor BertBlock::Differentiate(const at::Tensor& output_gradient,
                                    const Derivation& derivation) const {
  const Views p = ViewsOf(derivation.parameters);
  const Views to = ViewsOf(derivation.to);
  return AttentionBackward(
      FeedForwardBackward(output_gradient, p, to, derivation), p, to,
      derivation);
}

// In both halves, what was the input of something becomes the gradient of that
// input, step by step.

at::Tensor BertBlock::FeedForwardBackward(const at::Tensor& output_gradient,
                                          const Views& p, const Views& to,
                                          const Derivation& derivation) const {
  const ParameterGradients& store = derivation.store;
  Tensors& saved = derivation.saved;
  NormStatistics statistics;
  at::Tensor sum = Take(saved[kSum2]);
  LayerNormForward(sum, p.norm_2_weight, p.norm_2_bias, epsilon_, &statistics);
  const at::Tensor sum_gradient =
      LayerNormBackward(output_gradient, sum, p.norm_2_weight, statistics,
                        store, {to.norm_2_weight, to.norm_2_bias});
  sum.reset();
  at::Tensor branch = BranchGradient(
      sum_gradient, DropoutOf(kFeedForwardMask, derivation.micro_batch));
  // From now on its derivative.
  at::Tensor expanded = Take(saved[kExpanded]);
  at::Tensor activated = GeluForBackward(expanded, GeluFormula::kErf);
  StoreProjection(activated, branch, p.contract, store, to.contract);
  InputGradient(branch, p.contract, /*add=*/false, activated);
  branch.reset();
  expanded.mul_(activated);
  activated.reset();

  const at::Tensor normalized = LayerNormForward(
      saved[kSum1], p.norm_1_weight, p.norm_1_bias, epsilon_, &statistics);
  StoreProjection(normalized, expanded, p.expand, store, to.expand);
  InputGradient(expanded, p.expand, /*add=*/false, normalized);
  return normalized.add_(sum_gradient);
}

at::Tensor BertBlock::AttentionBackward(at::Tensor normalized_gradient,
                                        const Views& p, const Views& to,
                                        const Derivation& derivation) const {
  const ParameterGradients& store = derivation.store;
  Tensors& saved = derivation.saved;
  const MicroBatch& batch = derivation.micro_batch;
  NormStatistics statistics;
  at::Tensor sum = Take(saved[kSum1]);
  LayerNormForward(sum, p.norm_1_weight, p.norm_1_bias, epsilon_, &statistics);
  const at::Tensor sum_gradient =
      LayerNormBackward(normalized_gradient, sum, p.norm_1_weight, statistics,
                        store, {to.norm_1_weight, to.norm_1_bias});
  sum.reset();
  normalized_gradient.reset();
  at::Tensor branch =
      BranchGradient(sum_gradient, DropoutOf(kAttentionMask, batch));
  Attended attended{Take(saved[kAttended]), Take(saved[kLogSumExp])};
  StoreProjection(attended.output, branch, p.attention_output, store,
                  to.attention_output);
  at::Tensor gradient =
      at::empty(attended.output.sizes(), attended.output.options());
  InputGradient(branch, p.attention_output, /*add=*/false, gradient);
  branch.reset();
  // From now on their gradients.
  const QueryKeyValue parts = {Take(saved[kQuery]), Take(saved[kKey]),
                               Take(saved[kValue])};
  AttendBackward(gradient, attended, ShapeOf(batch), parts);
  attended = {};

  const at::Tensor& input = derivation.input;
  StoreProjection(input, parts.query, p.query, store, to.query);
  StoreProjection(input, parts.key, p.key, store, to.key);
  StoreProjection(input, parts.value, p.value, store, to.value);
  InputGradient(parts.query, p.query, /*add=*/false, gradient);
  InputGradient(parts.key, p.key, /*add=*/true, gradient);
  InputGradient(parts.value, p.value, /*add=*/true, gradient);
  return gradient.add_(sum_gradient);
}

AttentionShape BertBlock::ShapeOf(const MicroBatch& micro_batch) const {
  AttentionShape shape;
  shape.sequences = micro_batch.sequences();
  shape.context = micro_batch.context();
  shape.heads = heads_;
  shape.key_value_heads = heads_;
  shape.dropout = DropoutOf(kPairMask, micro_batch);
  shape.is_causal = false;
  shape.lengths = micro_batch.lengths;
  return shape;
}

Dropout BertBlock::DropoutOf(Mask mask, const MicroBatch& micro_batch) const {
  if (!micro_batch.training) return {};
  return {mask == kPairMask ? attention_dropout_ : residual_dropout_,
          MaskSeed(micro_batch.seed, layer(), mask)};
}

}  // namespace hydra
