#include "worker/model/bert_classifier.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/zeros.h"
#include "c10/core/GradMode.h"
#include "common/model/bert_table.h"
#include "worker/model/class_loss.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {
namespace {

// [sequences, width].
at::Tensor FirstTokens(const at::Tensor& hidden) {
  return hidden.select(1, 0).contiguous();
}

}  // namespace

BertClassifier::BertClassifier(const LayerContext& context)
    : blocks_(context),
      dropout_(context.entry.attributes.at(bert::kDropout)),
      layer_(context.layer) {}

BertClassifier::Views BertClassifier::ViewsOf(const Tensors& flats) const {
  const Tensors tensors = blocks_.WidenedViews(0, flats);
  Views views;
  views.pooler.weight = tensors[0];
  views.pooler.bias = tensors[1];
  views.classifier.weight = tensors[2];
  views.classifier.bias = tensors[3];
  return views;
}

LayerOutput BertClassifier::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  const Views p = ViewsOf(input.flats);
  const at::Tensor pooled =
      Project(FirstTokens(input.boundary.front()), p.pooler).tanh_();
  DropOut(pooled, DropoutOf(input.micro_batch));
  at::Tensor logits = Project(pooled, p.classifier);
  LayerOutput output;
  output.loss = ClassLoss(input.micro_batch, logits);
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
  const Views p = ViewsOf(tape.parameters);
  const Views to = ViewsOf(flat_gradients);
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
  LayerGradients gradients;
  gradients.loss = ClassLossToGradient(tape.micro_batch, logits);
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
  if (!accumulate) blocks_.ZeroPadding(flat_gradients);
  gradients.inputs.resize(tape.inputs.size());
  gradients.inputs.front() = gradient;
  return gradients;
}

Dropout BertClassifier::DropoutOf(const MicroBatch& micro_batch) const {
  return {micro_batch.training ? dropout_ : 0,
          MaskSeed(micro_batch.seed, layer_, /*mask=*/0)};
}

}  // namespace hydra
