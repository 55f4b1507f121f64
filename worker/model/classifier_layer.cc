#include "worker/model/classifier_layer.h"

#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/zeros.h"
#include "c10/core/GradMode.h"
#include "common/model/vit_table.h"
#include "worker/model/class_loss.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {
namespace {

// [images, width].
at::Tensor ClassTokens(const at::Tensor& hidden) {
  return hidden.select(1, 0).contiguous();
}

}  // namespace

ClassifierLayer::ClassifierLayer(const LayerContext& context)
    : blocks_(context), epsilon_(context.entry.attributes.at(vit::kEpsilon)) {}

ClassifierLayer::Views ClassifierLayer::ViewsOf(const Tensors& flats) const {
  const Tensors tensors = blocks_.WidenedViews(0, flats);
  Views views;
  views.norm_weight = tensors[0];
  views.norm_bias = tensors[1];
  views.classifier.weight = tensors[2];
  views.classifier.bias = tensors[3];
  return views;
}

at::Tensor ClassifierLayer::Normalized(const at::Tensor& tokens, const Views& p,
                                       NormStatistics* statistics) const {
  return LayerNormForward(tokens, p.norm_weight, p.norm_bias, epsilon_,
                          statistics);
}

at::Tensor ClassifierLayer::Logits(const at::Tensor& hidden,
                                   const Tensors& flats) const {
  const at::NoGradGuard no_grad;
  const Views p = ViewsOf(flats);
  NormStatistics statistics;
  return Project(Normalized(ClassTokens(hidden), p, &statistics), p.classifier);
}

LayerOutput ClassifierLayer::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  at::Tensor logits = Logits(input.boundary.front(), input.flats);
  LayerOutput output;
  output.loss = ClassLoss(input.micro_batch, logits);
  return output;
}

Tape ClassifierLayer::Record(const LayerInput& input) const {
  Tape tape;
  tape.inputs = input.boundary;
  tape.parameters = input.flats;
  tape.micro_batch = input.micro_batch;
  return tape;
}

LayerGradients ClassifierLayer::Backward(Tape tape,
                                         const Tensors& /*output_gradients*/,
                                         const Tensors& flat_gradients,
                                         bool accumulate) const {
  const at::NoGradGuard no_grad;
  const at::Tensor& hidden = tape.inputs.front();
  const Views p = ViewsOf(tape.parameters);
  const Views to = ViewsOf(flat_gradients);
  const ParameterGradients store(accumulate);
  const at::Tensor tokens = ClassTokens(hidden);
  NormStatistics statistics;
  const at::Tensor normalized = Normalized(tokens, p, &statistics);
  // Their gradient, once the loss is known.
  at::Tensor logits = Project(normalized, p.classifier);
  LayerGradients gradients;
  gradients.loss = ClassLossToGradient(tape.micro_batch, logits);
  StoreProjection(normalized, logits, p.classifier, store, to.classifier);
  const at::Tensor token_gradient =
      at::empty(normalized.sizes(), normalized.options());
  InputGradient(logits, p.classifier, /*add=*/false, token_gradient);
  // Nothing follows from an image's other rows.
  const at::Tensor gradient = at::zeros(hidden.sizes(), hidden.options());
  gradient.select(1, 0).copy_(
      LayerNormBackward(token_gradient, tokens, p.norm_weight, statistics,
                        store, {to.norm_weight, to.norm_bias}));
  if (!accumulate) blocks_.ZeroPadding(flat_gradients);
  gradients.inputs = {gradient};
  return gradients;
}

}  // namespace hydra
