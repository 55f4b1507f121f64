#include "worker/model/resnet_head.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "c10/core/GradMode.h"
#include "worker/model/class_loss.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {
namespace {

// [images, channels, pixels].
at::Tensor Flattened(const at::Tensor& images) {
  return images.view({images.size(0), images.size(1), -1});
}

// [images, channels].
at::Tensor MeansOf(const at::Tensor& images) {
  return Flattened(images).mean(2);
}

}  // namespace

ResnetHead::ResnetHead(const LayerContext& context) : blocks_(context) {}

Projection ResnetHead::ClassifierOf(const Tensors& flats) const {
  const Tensors tensors = blocks_.WidenedViews(0, flats);
  Projection classifier;
  classifier.weight = tensors[0];
  classifier.bias = tensors[1];
  return classifier;
}

at::Tensor ResnetHead::Logits(const at::Tensor& images,
                              const Tensors& flats) const {
  const at::NoGradGuard no_grad;
  return Project(MeansOf(images), ClassifierOf(flats));
}

LayerOutput ResnetHead::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  at::Tensor logits = Logits(input.boundary.front(), input.flats);
  LayerOutput output;
  output.loss = ClassLoss(input.micro_batch, logits);
  return output;
}

Tape ResnetHead::Record(const LayerInput& input) const {
  Tape tape;
  tape.inputs = input.boundary;
  tape.parameters = input.flats;
  tape.micro_batch = input.micro_batch;
  return tape;
}

LayerGradients ResnetHead::Backward(Tape tape,
                                    const Tensors& /*output_gradients*/,
                                    const Tensors& flat_gradients,
                                    bool accumulate) const {
  const at::NoGradGuard no_grad;
  const at::Tensor& images = tape.inputs.front();
  const Projection classifier = ClassifierOf(tape.parameters);
  const at::Tensor means = MeansOf(images);
  at::Tensor logits = Project(means, classifier);
  LayerGradients gradients;
  gradients.loss = ClassLossToGradient(tape.micro_batch, logits);
  StoreProjection(means, logits, classifier, ParameterGradients(accumulate),
                  ClassifierOf(flat_gradients));
  const at::Tensor mean_gradient = at::empty(means.sizes(), means.options());
  InputGradient(logits, classifier, /*add=*/false, mean_gradient);
  const at::Tensor gradient = at::empty(images.sizes(), images.options());
  const at::Tensor pixels = Flattened(gradient);
  pixels.copy_(mean_gradient.div_(pixels.size(2)).unsqueeze(2));
  if (!accumulate) blocks_.ZeroPadding(flat_gradients);
  gradients.inputs = {gradient};
  return gradients;
}

}  // namespace hydra
