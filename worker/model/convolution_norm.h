#ifndef HYDRA_WORKER_MODEL_CONVOLUTION_NORM_H_
#define HYDRA_WORKER_MODEL_CONVOLUTION_NORM_H_

#include <cstddef>

#include "ATen/core/Tensor.h"
#include "common/model/convolution_shape.h"
#include "worker/model/batch_norm.h"
#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"

namespace hydra {

// A convolution with a batch norm behind it, which ResNets are made of. In
// training the norm has the micro-batch's own statistics, and Backward brings
// the running ones up to date; in evaluations, and where all of these are
// frozen, it has the running ones, which stay as they are.
//
// Nothing is recorded; images are [images, channels, pixels]. Immutable.
class ConvolutionNorm {
 public:
  // Its tensors, resnet::kTensorsOfConvolution of those of a block from
  // `first` on, or where their gradients go; undefined: nowhere.
  struct Views {
    Views(const Tensors& tensors, size_t first);

    at::Tensor weight;
    at::Tensor norm_weight;
    at::Tensor norm_bias;
    RunningStatistics running;
  };

  // What the convolution makes, and what it is normalized with.
  struct Convolved {
    at::Tensor images;
    ChannelStatistics statistics;
  };

  // Its tensors are those of the layer's only block from `first` on.
  ConvolutionNorm(const ConvolutionShape& shape, const LayerBlocks& blocks,
                  size_t first);

  Convolved Convolve(const at::Tensor& images, const Views& parameters,
                     bool training) const;

  at::Tensor Normalize(const Convolved& convolved,
                       const Views& parameters) const;

  // The gradient of the convolution's result from that of the norm's, in
  // training. Stores those of the norm's parameters, and the running
  // statistics. What was convolved goes.
  at::Tensor NormBackward(const at::Tensor& output_gradient,
                          Convolved convolved, const Views& parameters,
                          const Views& to, bool accumulate) const;

  // The rest: the gradients of the weight, from what went in.
  void StoreWeight(const at::Tensor& images, const at::Tensor& gradient,
                   const Views& to, bool accumulate) const;
  // And of what went in.
  at::Tensor InputGradient(const at::Tensor& gradient,
                           const Views& parameters) const;

  const ConvolutionShape& shape() const { return shape_; }

 private:
  const ConvolutionShape shape_;
  // All that the norm remembers is frozen.
  const bool is_constant_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_CONVOLUTION_NORM_H_
