#include "worker/model/resnet_embedder.h"

#include <utility>

#include "ATen/core/Tensor.h"
#include "ATen/ops/max_pool2d_with_indices.h"
#include "ATen/ops/max_pool2d_with_indices_backward.h"
#include "ATen/ops/threshold_backward.h"
#include "c10/core/GradMode.h"

namespace hydra {
namespace {

// Of Tape::saved.
enum Saved { kConvolved, kMean, kVariance };

}  // namespace

ResnetEmbedder::ResnetEmbedder(const LayerContext& context)
    : blocks_(context),
      pool_(resnet::EmbedderOf(context.entry.attributes).pool),
      convolution_(resnet::EmbedderOf(context.entry.attributes).convolution,
                   blocks_, /*first=*/0) {}

ConvolutionNorm::Views ResnetEmbedder::ViewsOf(const Tensors& flats) const {
  return {blocks_.WidenedViews(0, flats), /*first=*/0};
}

at::Tensor ResnetEmbedder::ImagesOf(const MicroBatch& micro_batch,
                                    const ConvolutionShape& shape) {
  return micro_batch.examples.view(
      {micro_batch.sequences(), shape.in_channels, shape.in_pixels()});
}

ConvolutionNorm::Convolved ResnetEmbedder::Convolve(
    const LayerInput& input, const ConvolutionNorm::Views& parameters) const {
  return convolution_.Convolve(
      ImagesOf(input.micro_batch, convolution_.shape()), parameters,
      input.micro_batch.training);
}

at::Tensor ResnetEmbedder::Activate(
    const ConvolutionNorm::Convolved& convolved,
    const ConvolutionNorm::Views& parameters) const {
  return convolution_.Normalize(convolved, parameters)
      .relu_()
      .view({-1, pool_.height, pool_.width});
}

ResnetEmbedder::Pooled ResnetEmbedder::Pool(const at::Tensor& activated) const {
  auto [largest, places] = at::max_pool2d_with_indices(
      activated, {pool_.kernel, pool_.kernel}, {pool_.stride, pool_.stride},
      {pool_.padding(), pool_.padding()});
  return {largest, places};
}

LayerOutput ResnetEmbedder::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  const ConvolutionNorm::Views parameters = ViewsOf(input.flats);
  LayerOutput output;
  output.boundary.push_back(
      Pool(Activate(Convolve(input, parameters), parameters))
          .largest.view({input.micro_batch.sequences(), pool_.out_channels,
                         pool_.out_height(), pool_.out_width()}));
  return output;
}

Tape ResnetEmbedder::Record(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  const ConvolutionNorm::Views parameters = ViewsOf(input.flats);
  const ConvolutionNorm::Convolved convolved = Convolve(input, parameters);
  Tape tape;
  tape.parameters = input.flats;
  tape.micro_batch = input.micro_batch;
  tape.outputs = {
      Pool(Activate(convolved, parameters))
          .largest.view({input.micro_batch.sequences(), pool_.out_channels,
                         pool_.out_height(), pool_.out_width()})};
  tape.saved = {convolved.images, convolved.statistics.mean,
                convolved.statistics.variance};
  return tape;
}

LayerGradients ResnetEmbedder::Backward(Tape tape,
                                        const Tensors& output_gradients,
                                        const Tensors& flat_gradients,
                                        bool accumulate) const {
  if (!flat_gradients.front().defined()) return {};
  const at::NoGradGuard no_grad;
  tape.outputs.clear();
  const ConvolutionNorm::Views parameters = ViewsOf(tape.parameters);
  const ConvolutionNorm::Views to = ViewsOf(flat_gradients);
  ConvolutionNorm::Convolved convolved{
      std::move(tape.saved[kConvolved]),
      {tape.saved[kMean], tape.saved[kVariance]}};
  const ConvolutionShape& shape = convolution_.shape();
  const at::Tensor images = ImagesOf(tape.micro_batch, shape);

  at::Tensor activated = Activate(convolved, parameters);
  at::Tensor gradient = at::max_pool2d_with_indices_backward(
      output_gradients.front().view(
          {-1, pool_.out_height(), pool_.out_width()}),
      activated, {pool_.kernel, pool_.kernel}, {pool_.stride, pool_.stride},
      {pool_.padding(), pool_.padding()}, /*dilation=*/{1, 1},
      /*ceil_mode=*/false, Pool(activated).places);
  gradient = at::threshold_backward(gradient, activated, 0);
  activated.reset();
  gradient = convolution_.NormBackward(
      gradient.view({images.size(0), shape.out_channels, shape.out_pixels()}),
      std::move(convolved), parameters, to, accumulate);
  convolution_.StoreWeight(images, gradient, to, accumulate);
  if (!accumulate) blocks_.ZeroPadding(flat_gradients);
  return {};
}

}  // namespace hydra
