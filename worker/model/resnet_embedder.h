#ifndef HYDRA_WORKER_MODEL_RESNET_EMBEDDER_H_
#define HYDRA_WORKER_MODEL_RESNET_EMBEDDER_H_

#include "ATen/core/Tensor.h"
#include "common/model/resnet_table.h"
#include "worker/model/convolution_norm.h"
#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// ResNet's first layer: a convolution with its batch norm, relu, and the
// largest of each window of pixels. Records its micro-batch and what the
// convolution made. It has no input gradients.
class ResnetEmbedder : public Layer {
 public:
  explicit ResnetEmbedder(const LayerContext& context);

  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  // What is pooled, and the places of the largest, as LibTorch has them:
  // [images * channels, height, width].
  struct Pooled {
    at::Tensor largest;
    at::Tensor places;
  };

  // The block's tensors, or where their gradients go.
  ConvolutionNorm::Views ViewsOf(const Tensors& flats) const;
  // [images, channels, pixels].
  static at::Tensor ImagesOf(const MicroBatch& micro_batch,
                             const ConvolutionShape& shape);
  ConvolutionNorm::Convolved Convolve(
      const LayerInput& input, const ConvolutionNorm::Views& parameters) const;
  // What is pooled.
  at::Tensor Activate(const ConvolutionNorm::Convolved& convolved,
                      const ConvolutionNorm::Views& parameters) const;
  Pooled Pool(const at::Tensor& activated) const;

  const LayerBlocks blocks_;
  const ConvolutionShape pool_;
  const ConvolutionNorm convolution_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_RESNET_EMBEDDER_H_
