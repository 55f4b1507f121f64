#include "worker/model/transformer_block.h"

#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "common/model/gpt2_table.h"
#include "worker/model/dropout.h"
#include "worker/model/gelu.h"
#include "worker/model/layer_norm.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {
namespace {

// Of Tape::saved.
enum Saved {
  kQkv,
  kAttended,
  kLogSumExp,
  // The first residual sum.
  kResidual,
  // Before the activation.
  kExpanded,
  kSavedCount,
};

// Query, key and value of each token lie behind each other.
QueryKeyValue PartsOf(const at::Tensor& qkv) {
  const Tensors parts = qkv.chunk(3, /*dim=*/1);
  return {parts[0], parts[1], parts[2]};
}

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

TransformerBlock::TransformerBlock(const LayerContext& context)
    : BlockLayer(context),
      heads_(static_cast<int64_t>(context.entry.attributes.at(gpt2::kHeads))),
      epsilon_(context.entry.attributes.at(gpt2::kEpsilon)),
      attention_dropout_(context.entry.attributes.at(gpt2::kAttentionDropout)),
      residual_dropout_(context.entry.attributes.at(gpt2::kDropout)) {}

TransformerBlock::Views TransformerBlock::ViewsOf(Parameters parameters) {
  Views views;
  views.norm_1_weight = parameters.Next();
  views.norm_1_bias = parameters.Next();
  views.attention = parameters.NextProjection(true);
  views.attention_output = parameters.NextProjection(true);
  views.norm_2_weight = parameters.Next();
  views.norm_2_bias = parameters.Next();
  views.expand = parameters.NextProjection(true);
  views.contract = parameters.NextProjection(true);
  return views;
}

at::Tensor TransformerBlock::Compute(const at::Tensor& input,
                                     const Parameters& parameters,
                                     const MicroBatch& batch,
                                     Tensors* saved) const {
  const Views p = ViewsOf(parameters);
  Tensors kept(kSavedCount);
  // What only a backward pass needs goes as soon as it is used.
  const auto release = [&](Saved what) {
    if (saved == nullptr) kept[what].reset();
  };

  NormStatistics statistics;
  at::Tensor hidden = LayerNormForward(input, p.norm_1_weight, p.norm_1_bias,
                                       epsilon_, &statistics);
  kept[kQkv] = Project(hidden, p.attention);
  hidden.reset();
  Attended attended = Attend(PartsOf(kept[kQkv]), ShapeOf(batch));
  kept[kAttended] = std::move(attended.output);
  kept[kLogSumExp] = std::move(attended.log_sum_exp);
  release(kQkv);
  hidden = Project(kept[kAttended], p.attention_output);
  release(kAttended);
  kept[kResidual] =
      AddResidual(hidden, DropoutOf(kAttentionMask, batch), input);

  hidden = LayerNormForward(kept[kResidual], p.norm_2_weight, p.norm_2_bias,
                            epsilon_, &statistics);
  kept[kExpanded] = Project(hidden, p.expand);
  if (saved == nullptr) {
    hidden = Take(kept[kExpanded]);
    GeluInPlace(hidden, GeluFormula::kTanh);
  } else {
    hidden = Gelu(kept[kExpanded], GeluFormula::kTanh);
  }
  hidden = Project(hidden, p.contract);
  hidden =
      AddResidual(hidden, DropoutOf(kFeedForwardMask, batch), kept[kResidual]);
  if (saved != nullptr) *saved = std::move(kept);
  return hidden;
}

at::Tensor TransformerBlock::Differentiate(const at::Tensor& output_gradient,
                                           const Derivation& derivation) const {
  const Views p = ViewsOf(derivation.parameters);
  const Views to = ViewsOf(derivation.to);
  const at::Tensor residual_gradient =
      FeedForwardBackward(output_gradient, p, to, derivation);
  return AttentionBackward(residual_gradient, p, to, derivation);
}

// In both halves, what was the input of something becomes the gradient of that
// input, step by step.

at::Tensor TransformerBlock::FeedForwardBackward(
    const at::Tensor& output_gradient, const Views& p, const Views& to,
    const Derivation& derivation) const {
  const ParameterGradients& store = derivation.store;
  Tensors& saved = derivation.saved;
  at::Tensor branch = BranchGradient(
      output_gradient, DropoutOf(kFeedForwardMask, derivation.micro_batch));
  // From now on its derivative.
  at::Tensor expanded = Take(saved[kExpanded]);
  at::Tensor activated = GeluForBackward(expanded, GeluFormula::kTanh);
  StoreProjection(activated, branch, p.contract, store, to.contract);
  InputGradient(branch, p.contract, /*add=*/false, activated);
  branch.reset();
  expanded.mul_(activated);
  activated.reset();

  const at::Tensor residual = Take(saved[kResidual]);
  NormStatistics statistics;
  at::Tensor normalized = LayerNormForward(
      residual, p.norm_2_weight, p.norm_2_bias, epsilon_, &statistics);
  StoreProjection(normalized, expanded, p.expand, store, to.expand);
  InputGradient(expanded, p.expand, /*add=*/false, normalized);
  expanded.reset();
  return LayerNormBackward(normalized, residual, p.norm_2_weight, statistics,
                           store, {to.norm_2_weight, to.norm_2_bias})
      .add_(output_gradient);
}

at::Tensor TransformerBlock::AttentionBackward(
    const at::Tensor& residual_gradient, const Views& p, const Views& to,
    const Derivation& derivation) const {
  const ParameterGradients& store = derivation.store;
  Tensors& saved = derivation.saved;
  const MicroBatch& batch = derivation.micro_batch;
  at::Tensor branch =
      BranchGradient(residual_gradient, DropoutOf(kAttentionMask, batch));
  Attended attended{Take(saved[kAttended]), Take(saved[kLogSumExp])};
  StoreProjection(attended.output, branch, p.attention_output, store,
                  to.attention_output);
  at::Tensor gradient =
      at::empty(attended.output.sizes(), attended.output.options());
  InputGradient(branch, p.attention_output, /*add=*/false, gradient);
  branch.reset();
  const at::Tensor qkv = Take(saved[kQkv]);
  AttendBackward(gradient, attended, ShapeOf(batch), PartsOf(qkv));
  attended = {};
  gradient.reset();

  const at::Tensor& input = derivation.input;
  NormStatistics statistics;
  at::Tensor normalized = LayerNormForward(
      input, p.norm_1_weight, p.norm_1_bias, epsilon_, &statistics);
  StoreProjection(normalized, qkv, p.attention, store, to.attention);
  InputGradient(qkv, p.attention, /*add=*/false, normalized);
  return LayerNormBackward(normalized, input, p.norm_1_weight, statistics,
                           store, {to.norm_1_weight, to.norm_1_bias})
      .add_(residual_gradient);
}

AttentionShape TransformerBlock::ShapeOf(const MicroBatch& micro_batch) const {
  AttentionShape shape;
  shape.sequences = micro_batch.sequences();
  shape.context = micro_batch.context();
  shape.heads = heads_;
  shape.key_value_heads = heads_;
  shape.dropout = DropoutOf(kPairMask, micro_batch);
  return shape;
}

Dropout TransformerBlock::DropoutOf(Mask mask,
                                    const MicroBatch& micro_batch) const {
  if (!micro_batch.training) return {};
  return {mask == kPairMask ? attention_dropout_ : residual_dropout_,
          MaskSeed(micro_batch.seed, layer(), mask)};
}

}  // namespace hydra
