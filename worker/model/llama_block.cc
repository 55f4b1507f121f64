#include "worker/model/llama_block.h"

#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "c10/util/Exception.h"
#include "common/model/llama_table.h"
#include "worker/model/dropout.h"
#include "worker/model/rms_norm.h"
#include "worker/model/swiglu.h"

namespace hydra {
namespace {

using Direction = RotaryEmbedding::Direction;

// Of Tape::saved. Query and key are as they were projected where their heads
// are normalized, else as the attention had them.
enum Saved {
  kQuery,
  kKey,
  kValue,
  kAttended,
  kLogSumExp,
  // The first residual sum.
  kResidual,
  kGate,
  kUp,
  kSavedCount,
};

int64_t IntegerOf(const LayerContext& context, const char* attribute) {
  return static_cast<int64_t>(context.entry.attributes.at(attribute));
}

}  // namespace

LlamaBlock::LlamaBlock(const LayerContext& context)
    : BlockLayer(context),
      epsilon_(context.entry.attributes.at(llama::kEpsilon)),
      heads_(IntegerOf(context, llama::kHeads)),
      key_value_heads_(IntegerOf(context, llama::kKeyValueHeads)),
      head_width_(IntegerOf(context, llama::kHeadWidth)),
      has_biases_(IntegerOf(context, llama::kHasBiases) != 0),
      has_head_norms_(IntegerOf(context, llama::kHasHeadNorms) != 0),
      window_(IntegerOf(context, llama::kWindow)),
      attention_dropout_(context.entry.attributes.at(llama::kAttentionDropout)),
      rotary_(
          RotaryFrequencies(RotaryOf(context.entry.attributes), head_width_)) {
  const size_t wanted = 9 + (has_biases_ ? 3 : 0) + (has_head_norms_ ? 2 : 0);
  TORCH_CHECK(tensors().size() == wanted, "the block has ", tensors().size(),
              " tensors, its attributes ask for ", wanted);
}

LlamaBlock::Views LlamaBlock::ViewsOf(Parameters parameters) const {
  Views views;
  views.attention_norm = parameters.Next();
  views.query = parameters.NextProjection(has_biases_);
  views.key = parameters.NextProjection(has_biases_);
  views.value = parameters.NextProjection(has_biases_);
  if (has_head_norms_) {
    views.query_norm = parameters.Next();
    views.key_norm = parameters.Next();
  }
  views.output = parameters.NextProjection(false);
  views.feed_forward_norm = parameters.Next();
  views.gate = parameters.NextProjection(false);
  views.up = parameters.NextProjection(false);
  views.down = parameters.NextProjection(false);
  return views;
}

at::Tensor LlamaBlock::Compute(const at::Tensor& input,
                               const Parameters& parameters,
                               const MicroBatch& batch, Tensors* saved) const {
  const Views p = ViewsOf(parameters);
  Tensors kept(kSavedCount);
  // What only a backward pass needs goes as soon as it is used.
  const auto release = [&](Saved what) {
    if (saved == nullptr) kept[what].reset();
  };

  at::Tensor inverse_root;
  at::Tensor hidden =
      RmsNormForward(input, p.attention_norm, epsilon_, &inverse_root);
  kept[kQuery] = Project(hidden, p.query);
  kept[kKey] = Project(hidden, p.key);
  kept[kValue] = Project(hidden, p.value);
  hidden.reset();
  QueryKeyValue attention = {
      Positioned(kept[kQuery], p.query_norm, batch.context()),
      Positioned(kept[kKey], p.key_norm, batch.context()), kept[kValue]};
  for (Saved what : {kQuery, kKey, kValue}) release(what);
  Attended attended = Attend(attention, ShapeOf(batch));
  attention = {};
  kept[kAttended] = std::move(attended.output);
  kept[kLogSumExp] = std::move(attended.log_sum_exp);
  kept[kResidual] = Project(kept[kAttended], p.output).add_(input);
  release(kAttended);

  hidden = RmsNormForward(kept[kResidual], p.feed_forward_norm, epsilon_,
                          &inverse_root);
  kept[kGate] = Project(hidden, p.gate);
  kept[kUp] = Project(hidden, p.up);
  if (saved == nullptr) {
    hidden = Take(kept[kGate]);
    SwigluInPlace(hidden, kept[kUp]);
  } else {
    hidden = Swiglu(kept[kGate], kept[kUp]);
  }
  release(kUp);
  hidden = Project(hidden, p.down).add_(kept[kResidual]);
  if (saved != nullptr) *saved = std::move(kept);
  return hidden;
}

at::Tensor LlamaBlock::Positioned(const at::Tensor& projected,
                                  const at::Tensor& norm,
                                  int64_t context) const {
  at::Tensor heads = projected;
  if (norm.defined()) {
    at::Tensor inverse_root;
    heads = RmsNormForward(projected.view({-1, head_width_}), norm, epsilon_,
                           &inverse_root)
                .view(projected.sizes());
  }
  rotary_.Rotate(heads, context, Direction::kForward);
  return heads;
}

void LlamaBlock::PositionedBackward(const at::Tensor& projected,
                                    const at::Tensor& norm, int64_t context,
                                    const ParameterGradients& store,
                                    const at::Tensor& norm_gradient,
                                    const at::Tensor& gradient) const {
  rotary_.Rotate(gradient, context, Direction::kBack);
  if (!norm.defined()) return;
  const at::Tensor heads = projected.view({-1, head_width_});
  at::Tensor inverse_root;
  RmsNormForward(heads, norm, epsilon_, &inverse_root);
  RmsNormBackward(heads, norm, inverse_root, store, norm_gradient,
                  gradient.view(heads.sizes()));
}

at::Tensor LlamaBlock::Differentiate(const at::Tensor& output_gradient,
                                     const Derivation& derivation) const {
  const Views p = ViewsOf(derivation.parameters);
  const Views to = ViewsOf(derivation.to);
  const at::Tensor residual_gradient =
      FeedForwardBackward(output_gradient, p, to, derivation);
  return AttentionBackward(residual_gradient, p, to, derivation);
}

// In both halves, what was the input of something becomes the gradient of that
// input, step by step.

at::Tensor LlamaBlock::FeedForwardBackward(const at::Tensor& output_gradient,
                                           const Views& p, const Views& to,
                                           const Derivation& derivation) const {
  const ParameterGradients& store = derivation.store;
  Tensors& saved = derivation.saved;
  // From now on the derivatives by them.
  at::Tensor gate = Take(saved[kGate]);
  at::Tensor up = Take(saved[kUp]);
  at::Tensor activated = SwigluForBackward(gate, up);
  StoreProjection(activated, output_gradient, p.down, store, to.down);
  InputGradient(output_gradient, p.down, /*add=*/false, activated);
  gate.mul_(activated);
  up.mul_(activated);
  activated.reset();

  const at::Tensor residual = Take(saved[kResidual]);
  at::Tensor inverse_root;
  const at::Tensor normalized =
      RmsNormForward(residual, p.feed_forward_norm, epsilon_, &inverse_root);
  StoreProjection(normalized, gate, p.gate, store, to.gate);
  StoreProjection(normalized, up, p.up, store, to.up);
  InputGradient(gate, p.gate, /*add=*/false, normalized);
  gate.reset();
  InputGradient(up, p.up, /*add=*/true, normalized);
  up.reset();
  RmsNormBackward(residual, p.feed_forward_norm, inverse_root, store,
                  to.feed_forward_norm, normalized);
  return normalized.add_(output_gradient);
}

at::Tensor LlamaBlock::AttentionBackward(const at::Tensor& residual_gradient,
                                         const Views& p, const Views& to,
                                         const Derivation& derivation) const {
  const ParameterGradients& store = derivation.store;
  Tensors& saved = derivation.saved;
  const MicroBatch& batch = derivation.micro_batch;
  const int64_t context = batch.context();
  Attended attended{Take(saved[kAttended]), Take(saved[kLogSumExp])};
  StoreProjection(attended.output, residual_gradient, p.output, store,
                  to.output);
  at::Tensor gradient =
      at::empty(attended.output.sizes(), attended.output.options());
  InputGradient(residual_gradient, p.output, /*add=*/false, gradient);
  at::Tensor query = Take(saved[kQuery]);
  at::Tensor key = Take(saved[kKey]);
  // From now on their gradients.
  QueryKeyValue parts = {query, key, Take(saved[kValue])};
  if (has_head_norms_) {
    parts.query = Positioned(query, p.query_norm, context);
    parts.key = Positioned(key, p.key_norm, context);
  }
  AttendBackward(gradient, attended, ShapeOf(batch), parts);
  attended = {};
  gradient.reset();
  PositionedBackward(query, p.query_norm, context, store, to.query_norm,
                     parts.query);
  PositionedBackward(key, p.key_norm, context, store, to.key_norm, parts.key);
  query.reset();
  key.reset();

  const at::Tensor& input = derivation.input;
  at::Tensor inverse_root;
  const at::Tensor normalized =
      RmsNormForward(input, p.attention_norm, epsilon_, &inverse_root);
  StoreProjection(normalized, parts.query, p.query, store, to.query);
  StoreProjection(normalized, parts.key, p.key, store, to.key);
  StoreProjection(normalized, parts.value, p.value, store, to.value);
  InputGradient(parts.query, p.query, /*add=*/false, normalized);
  InputGradient(parts.key, p.key, /*add=*/true, normalized);
  InputGradient(parts.value, p.value, /*add=*/true, normalized);
  RmsNormBackward(input, p.attention_norm, inverse_root, store,
                  to.attention_norm, normalized);
  return normalized.add_(residual_gradient);
}

AttentionShape LlamaBlock::ShapeOf(const MicroBatch& micro_batch) const {
  AttentionShape shape;
  shape.sequences = micro_batch.sequences();
  shape.context = micro_batch.context();
  shape.heads = heads_;
  shape.key_value_heads = key_value_heads_;
  shape.window = window_;
  if (micro_batch.training) {
    shape.dropout = {attention_dropout_,
                     MaskSeed(micro_batch.seed, layer(), kPairMask)};
  }
  return shape;
}

}  // namespace hydra
