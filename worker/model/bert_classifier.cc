#include "worker/model/bert_classifier.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/argmax.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/zeros.h"
#include "c10/core/GradMode.h"
#include "common/model/bert_table.h"
#include "worker/model/block_views.h"
#include "worker/model/cross_entropy.h"
#include "worker/model/element_type.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {
namespace {

// [sequences, width].
at::Tensor FirstTokens(const at::Tensor& hidden) {
  return hidden.select(1, 0).contiguous();
}

CrossEntropy LossOf(const MicroBatch& micro_batch, const at::Tensor& logits) {
  return CrossEntropy(micro_batch, {{0, logits.size(1)}}, logits.options());
}

// Turns the logits into their exponentials.
void AddAll(CrossEntropy& loss, at::Tensor& logits) {
  loss.Add(/*first_token=*/0, /*range=*/0, logits);
  loss.Finish(/*first_token=*/0, logits.size(0));
}

}  // namespace

BertClassifier::BertClassifier(const LayerContext& context)
    : block_(context.blocks.front()),
      dropout_(context.entry.attributes.at(bert::kDropout)),
      layer_(context.layer) {}

BertClassifier::Views BertClassifier::ViewsOf(const at::Tensor& flat) const {
  const Tensors tensors = WidenedViews(block_, flat);
  Views views;
  views.pooler.weight = tensors[0];
  views.pooler.bias = tensors[1];
  views.classifier.weight = tensors[2];
  views.classifier.bias = tensors[3];
  return views;
}

LayerOutput BertClassifier::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  const Views p = ViewsOf(input.flats.front());
  const at::Tensor pooled =
      Project(FirstTokens(input.boundary.front()), p.pooler).tanh_();
  DropOut(pooled, DropoutOf(input.micro_batch));
  at::Tensor logits = Project(pooled, p.classifier);
  const at::Tensor likely = at::argmax(logits, /*dim=*/1, /*keepdim=*/true);
  CrossEntropy loss = LossOf(input.micro_batch, logits);
  AddAll(loss, logits);
  LayerOutput output;
  output.loss = loss.Loss();
  output.loss.correct =
      likely.eq(input.micro_batch.Targets()).sum().item<int64_t>();
  return output;
}

Tape BertClassifier::Record(const LayerInput& input) const {
  Tape tape;
  tape.inputs = input.boundary;
  tape.parameters = input.flats;
  tape.micro_batch = input.micro_batch;
  return tape;
}

LayerGradients BertClassifier::Backward(Tape tape,
                                        const Tensors& /*output_gradients*/,
                                        const Tensors& flat_gradients,
                                        bool accumulate) const {
  const at::NoGradGuard no_grad;
  const at::Tensor& hidden = tape.inputs.front();
  const Views p = ViewsOf(tape.parameters.front());
  const Views to = ViewsOf(flat_gradients.front());
  const ParameterGradients store(accumulate);
  const Dropout dropout = DropoutOf(tape.micro_batch);
  const at::Tensor tokens = FirstTokens(hidden);
  const at::Tensor pooled = Project(tokens, p.pooler).tanh_();
  at::Tensor kept = pooled;
  if (dropout.probability > 0) {
    kept = pooled.clone();
    DropOut(kept, dropout);
  }
  // Their gradient, once the loss is known.
  at::Tensor logits = Project(kept, p.classifier);
  CrossEntropy loss = LossOf(tape.micro_batch, logits);
  AddAll(loss, logits);
  LayerGradients gradients;
  gradients.loss = loss.Loss();
  loss.ToGradient(/*first_token=*/0, /*range=*/0, logits);
  logits.mul_(tape.micro_batch.gradient_scale);
  StoreProjection(kept, logits, p.classifier, store, to.classifier);
  const at::Tensor pooled_gradient =
      at::empty(pooled.sizes(), pooled.options());
  InputGradient(logits, p.classifier, /*add=*/false, pooled_gradient);
  DropOut(pooled_gradient, dropout);
  // Less what tanh takes: gradient - gradient * pooled^2.
  pooled_gradient.sub_(pooled.square().mul_(pooled_gradient));
  StoreProjection(tokens, pooled_gradient, p.pooler, store, to.pooler);
  const at::Tensor token_gradient = at::empty(tokens.sizes(), tokens.options());
  InputGradient(pooled_gradient, p.pooler, /*add=*/false, token_gradient);
  // Nothing follows from a sequence's other tokens.
  const at::Tensor gradient = at::zeros(hidden.sizes(), hidden.options());
  gradient.select(1, 0).copy_(token_gradient);
  if (!accumulate && flat_gradients.front().defined()) {
    ZeroPadding(block_, flat_gradients.front());
  }
  gradients.inputs.resize(tape.inputs.size());
  gradients.inputs.front() = gradient;
  return gradients;
}

Dropout BertClassifier::DropoutOf(const MicroBatch& micro_batch) const {
  return {micro_batch.training ? dropout_ : 0,
          MaskSeed(micro_batch.seed, layer_, /*mask=*/0)};
}

}  // namespace hydra
