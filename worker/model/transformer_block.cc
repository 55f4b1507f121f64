#include "worker/model/transformer_block.h"

#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/mm.h"
#include "c10/core/GradMode.h"
#include "common/model/gpt2_table.h"
#include "worker/model/block_views.h"
#include "worker/model/dropout.h"
#include "worker/model/gelu.h"
#include "worker/model/layer_norm.h"
#include "worker/model/linear.h"

namespace hydra {
namespace {

// TensorViews' order.
enum Parameter {
  kNorm1Weight,
  kNorm1Bias,
  kAttentionWeight,
  kAttentionBias,
  kAttentionOutputWeight,
  kAttentionOutputBias,
  kNorm2Weight,
  kNorm2Bias,
  kExpandWeight,
  kExpandBias,
  kContractWeight,
  kContractBias,
};

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

at::Tensor RowsOf(const at::Tensor& tensor) {
  return tensor.reshape({-1, tensor.size(-1)});
}

// Query, key and value of each token lie behind each other.
QueryKeyValue PartsOf(const at::Tensor& qkv) {
  const Tensors parts = qkv.chunk(3, /*dim=*/1);
  return {parts[0], parts[1], parts[2]};
}

at::Tensor Take(at::Tensor& tensor) { return std::exchange(tensor, {}); }

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

// The gradient of a linear map's input, in place of the input.
void ReplaceByGradient(at::Tensor& input, const at::Tensor& output_gradient,
                       const at::Tensor& weight) {
  at::mm_out(input, output_gradient, weight.t());
}

}  // namespace

TransformerBlock::TransformerBlock(const LayerContext& context)
    : block_(context.blocks.front()),
      layer_(context.layer),
      heads_(static_cast<int64_t>(context.entry.attributes.at(gpt2::kHeads))),
      epsilon_(context.entry.attributes.at(gpt2::kEpsilon)),
      attention_dropout_(context.entry.attributes.at(gpt2::kAttentionDropout)),
      residual_dropout_(context.entry.attributes.at(gpt2::kDropout)) {}

LayerOutput TransformerBlock::Forward(const LayerInput& input) const {
  LayerOutput output;
  output.boundary = {Compute(input, /*saved=*/nullptr)};
  return output;
}

Tape TransformerBlock::Record(const LayerInput& input) const {
  Tape tape;
  tape.inputs = input.boundary;
  tape.parameters = input.flats;
  tape.micro_batch = input.micro_batch;
  tape.saved.resize(kSavedCount);
  tape.outputs = {Compute(input, &tape.saved)};
  return tape;
}

at::Tensor TransformerBlock::Compute(const LayerInput& input,
                                     Tensors* saved) const {
  const at::NoGradGuard no_grad;
  const MicroBatch& batch = input.micro_batch;
  const Tensors p = TensorViews(block_, input.flats.front());
  const at::Tensor rows = RowsOf(input.boundary.front());
  Tensors kept(kSavedCount);
  // What only a backward pass needs goes as soon as it is used.
  const auto release = [&](Saved what) {
    if (saved == nullptr) kept[what].reset();
  };

  NormStatistics statistics;
  at::Tensor hidden = LayerNormForward(rows, p[kNorm1Weight], p[kNorm1Bias],
                                       epsilon_, &statistics);
  kept[kQkv] = Linear(hidden, p[kAttentionWeight], p[kAttentionBias]);
  hidden.reset();
  Attended attended = CausalAttention(PartsOf(kept[kQkv]), ShapeOf(batch));
  kept[kAttended] = std::move(attended.output);
  kept[kLogSumExp] = std::move(attended.log_sum_exp);
  release(kQkv);
  hidden = Linear(kept[kAttended], p[kAttentionOutputWeight],
                  p[kAttentionOutputBias]);
  release(kAttended);
  kept[kResidual] = AddResidual(hidden, DropoutOf(kAttentionMask, batch), rows);

  hidden = LayerNormForward(kept[kResidual], p[kNorm2Weight], p[kNorm2Bias],
                            epsilon_, &statistics);
  kept[kExpanded] = Linear(hidden, p[kExpandWeight], p[kExpandBias]);
  if (saved == nullptr) {
    hidden = Take(kept[kExpanded]);
    GeluInPlace(hidden);
  } else {
    hidden = Gelu(kept[kExpanded]);
  }
  hidden = Linear(hidden, p[kContractWeight], p[kContractBias]);
  hidden =
      AddResidual(hidden, DropoutOf(kFeedForwardMask, batch), kept[kResidual]);
  if (saved != nullptr) *saved = std::move(kept);
  return hidden.view(input.boundary.front().sizes());
}

LayerGradients TransformerBlock::Backward(Tape tape,
                                          const Tensors& output_gradients,
                                          const Tensors& flat_gradients,
                                          bool accumulate) const {
  const at::NoGradGuard no_grad;
  tape.outputs.clear();
  const Views views{TensorViews(block_, tape.parameters.front()),
                    TensorViews(block_, flat_gradients.front()),
                    ParameterGradients(accumulate)};
  at::Tensor gradient =
      FeedForwardBackward(RowsOf(output_gradients.front()), views, tape);
  gradient = AttentionBackward(gradient, views, tape);
  if (!accumulate) ZeroPadding(block_, flat_gradients.front());
  LayerGradients gradients;
  gradients.inputs = {gradient.view(tape.inputs.front().sizes())};
  return gradients;
}

// In both halves, what was the input of something becomes the gradient of that
// input, step by step.

at::Tensor TransformerBlock::FeedForwardBackward(
    const at::Tensor& output_gradient, const Views& views, Tape& tape) const {
  const auto& [p, to, store] = views;
  at::Tensor branch = BranchGradient(
      output_gradient, DropoutOf(kFeedForwardMask, tape.micro_batch));
  // From now on its derivative.
  at::Tensor expanded = Take(tape.saved[kExpanded]);
  at::Tensor activated = GeluForBackward(expanded);
  store.StoreProduct(activated, branch, to[kContractWeight]);
  store.StoreRowSum(branch, to[kContractBias]);
  ReplaceByGradient(activated, branch, p[kContractWeight]);
  branch.reset();
  expanded.mul_(activated);
  activated.reset();

  const at::Tensor residual = Take(tape.saved[kResidual]);
  NormStatistics statistics;
  at::Tensor normalized = LayerNormForward(
      residual, p[kNorm2Weight], p[kNorm2Bias], epsilon_, &statistics);
  store.StoreProduct(normalized, expanded, to[kExpandWeight]);
  store.StoreRowSum(expanded, to[kExpandBias]);
  ReplaceByGradient(normalized, expanded, p[kExpandWeight]);
  expanded.reset();
  return LayerNormBackward(normalized, residual, p[kNorm2Weight], statistics,
                           store, {to[kNorm2Weight], to[kNorm2Bias]})
      .add_(output_gradient);
}

at::Tensor TransformerBlock::AttentionBackward(
    const at::Tensor& residual_gradient, const Views& views, Tape& tape) const {
  const auto& [p, to, store] = views;
  at::Tensor branch = BranchGradient(
      residual_gradient, DropoutOf(kAttentionMask, tape.micro_batch));
  Attended attended{Take(tape.saved[kAttended]), Take(tape.saved[kLogSumExp])};
  store.StoreProduct(attended.output, branch, to[kAttentionOutputWeight]);
  store.StoreRowSum(branch, to[kAttentionOutputBias]);
  at::Tensor gradient = branch.mm(p[kAttentionOutputWeight].t());
  branch.reset();
  const at::Tensor qkv = Take(tape.saved[kQkv]);
  CausalAttentionBackward(gradient, attended, ShapeOf(tape.micro_batch),
                          PartsOf(qkv));
  attended = {};
  gradient.reset();

  const at::Tensor input = RowsOf(tape.inputs.front());
  NormStatistics statistics;
  at::Tensor normalized = LayerNormForward(
      input, p[kNorm1Weight], p[kNorm1Bias], epsilon_, &statistics);
  store.StoreProduct(normalized, qkv, to[kAttentionWeight]);
  store.StoreRowSum(qkv, to[kAttentionBias]);
  ReplaceByGradient(normalized, qkv, p[kAttentionWeight]);
  return LayerNormBackward(normalized, input, p[kNorm1Weight], statistics,
                           store, {to[kNorm1Weight], to[kNorm1Bias]})
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
          MaskSeed(micro_batch.seed, layer_, mask)};
}

}  // namespace hydra
