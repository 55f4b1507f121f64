#include "worker/model/resnet_block.h"

#include <cstddef>
#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/threshold_backward.h"
#include "c10/core/GradMode.h"
#include "common/model/resnet_table.h"

namespace hydra {
namespace {

using Convolved = ConvolutionNorm::Convolved;

// Of Tape::saved, for each convolution; the shortcut's come last.
constexpr size_t kSavedTensors = 3;

void Save(const Convolved& convolved, Tensors* saved) {
  if (saved == nullptr) return;
  saved->insert(saved->end(), {convolved.images, convolved.statistics.mean,
                               convolved.statistics.variance});
}

// Those of the convolution that was saved as the `index`-th.
Convolved SavedOf(const Tensors& saved, size_t index) {
  const size_t first = index * kSavedTensors;
  return {saved[first], {saved[first + 1], saved[first + 2]}};
}

Convolved TakeSaved(Tensors& saved, size_t index) {
  Convolved convolved = SavedOf(saved, index);
  saved[index * kSavedTensors].reset();
  return convolved;
}

// [images, channels, pixels].
at::Tensor Flattened(const at::Tensor& images) {
  return images.view({images.size(0), images.size(1), -1});
}

}  // namespace

ResnetBlock::ResnetBlock(const LayerContext& context) : blocks_(context) {
  const resnet::Block shape = resnet::BlockOf(context.entry.attributes);
  size_t first = 0;
  if (shape.shortcut.has_value()) {
    shortcut_.emplace(*shape.shortcut, blocks_, first);
    first += resnet::kTensorsOfConvolution;
  }
  for (const ConvolutionShape& convolution : shape.branch) {
    branch_.emplace_back(convolution, blocks_, first);
    first += resnet::kTensorsOfConvolution;
  }
}

ResnetBlock::Views ResnetBlock::ViewsOf(const Tensors& flats) const {
  const Tensors tensors = blocks_.WidenedViews(0, flats);
  Views views;
  size_t first = 0;
  const auto next = [&] {
    const ConvolutionNorm::Views one(tensors, first);
    first += resnet::kTensorsOfConvolution;
    return one;
  };
  if (shortcut_.has_value()) views.shortcut = next();
  for (size_t i = 0; i < branch_.size(); ++i) views.branch.push_back(next());
  return views;
}

at::Tensor ResnetBlock::Output(const LayerInput& input, Tensors* saved) const {
  const at::NoGradGuard no_grad;
  const at::Tensor& boundary = input.boundary.front();
  const at::Tensor images = Flattened(boundary);
  const Views p = ViewsOf(input.flats);
  const auto made_by = [&](const ConvolutionNorm& convolution,
                           const at::Tensor& from,
                           const ConvolutionNorm::Views& views) {
    const Convolved convolved =
        convolution.Convolve(from, views, input.micro_batch.training);
    Save(convolved, saved);
    return convolution.Normalize(convolved, views);
  };
  at::Tensor hidden = images;
  for (size_t i = 0; i < branch_.size(); ++i) {
    hidden = made_by(branch_[i], hidden, p.branch[i]);
    if (i + 1 < branch_.size()) hidden.relu_();
  }
  hidden.add_(shortcut_.has_value() ? made_by(*shortcut_, images, *p.shortcut)
                                    : images);
  const ConvolutionShape& last = branch_.back().shape();
  return hidden.relu_().view({boundary.size(0), last.out_channels,
                              last.out_height(), last.out_width()});
}

LayerOutput ResnetBlock::Forward(const LayerInput& input) const {
  LayerOutput output;
  output.boundary = {Output(input, /*saved=*/nullptr)};
  return output;
}

Tape ResnetBlock::Record(const LayerInput& input) const {
  Tape tape;
  tape.inputs = input.boundary;
  tape.parameters = input.flats;
  tape.micro_batch = input.micro_batch;
  tape.outputs = {Output(input, &tape.saved)};
  return tape;
}

LayerGradients ResnetBlock::Backward(Tape tape, const Tensors& output_gradients,
                                     const Tensors& flat_gradients,
                                     bool accumulate) const {
  const at::NoGradGuard no_grad;
  const at::Tensor& boundary = tape.inputs.front();
  const at::Tensor images = Flattened(boundary);
  const Views p = ViewsOf(tape.parameters);
  const Views to = ViewsOf(flat_gradients);
  Tensors& saved = tape.saved;

  const at::Tensor sum_gradient = at::threshold_backward(
      Flattened(output_gradients.front()), Flattened(tape.outputs.front()), 0);
  tape.outputs.clear();
  at::Tensor gradient = sum_gradient;
  at::Tensor shortcut_gradient = sum_gradient;
  if (shortcut_.has_value()) {
    const at::Tensor convolved_gradient =
        shortcut_->NormBackward(sum_gradient, TakeSaved(saved, branch_.size()),
                                *p.shortcut, *to.shortcut, accumulate);
    shortcut_->StoreWeight(images, convolved_gradient, *to.shortcut,
                           accumulate);
    shortcut_gradient =
        shortcut_->InputGradient(convolved_gradient, *p.shortcut);
  }
  for (size_t i = branch_.size(); i-- > 0;) {
    const ConvolutionNorm& convolution = branch_[i];
    gradient = convolution.NormBackward(gradient, TakeSaved(saved, i),
                                        p.branch[i], to.branch[i], accumulate);
    const at::Tensor from =
        i == 0 ? images
               : branch_[i - 1]
                     .Normalize(SavedOf(saved, i - 1), p.branch[i - 1])
                     .relu_();
    convolution.StoreWeight(from, gradient, to.branch[i], accumulate);
    gradient = convolution.InputGradient(gradient, p.branch[i]);
    if (i > 0) gradient = at::threshold_backward(gradient, from, 0);
  }
  if (!accumulate) blocks_.ZeroPadding(flat_gradients);
  LayerGradients gradients;
  gradients.inputs = {gradient.add_(shortcut_gradient).view(boundary.sizes())};
  return gradients;
}

}  // namespace hydra
