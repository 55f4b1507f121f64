#include "worker/model/convolution_norm.h"

#include "ATen/core/Tensor.h"
#include "common/model/resnet_table.h"
#include "worker/model/convolution.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {
namespace {

// Of a convolution's tensors: what its norm remembers.
constexpr size_t kFirstRemembered = 3;

bool IsConstant(const LayerBlocks& blocks, size_t first) {
  for (size_t i = kFirstRemembered; i < resnet::kTensorsOfConvolution; ++i) {
    if (!blocks.IsFrozen(0, first + i)) return false;
  }
  return true;
}

}  // namespace

ConvolutionNorm::Views::Views(const Tensors& tensors, size_t first)
    : weight(tensors[first]),
      norm_weight(tensors[first + 1]),
      norm_bias(tensors[first + 2]),
      running({tensors[first + 3], tensors[first + 4], tensors[first + 5]}) {
  static_assert(resnet::kTensorsOfConvolution == kFirstRemembered + 3);
}

ConvolutionNorm::ConvolutionNorm(const ConvolutionShape& shape,
                                 const LayerBlocks& blocks, size_t first)
    : shape_(shape), is_constant_(IsConstant(blocks, first)) {}

ConvolutionNorm::Convolved ConvolutionNorm::Convolve(const at::Tensor& images,
                                                     const Views& parameters,
                                                     bool training) const {
  Convolved convolved;
  convolved.images = hydra::Convolve(images, parameters.weight, shape_);
  convolved.statistics = training && !is_constant_
                             ? StatisticsOf(convolved.images)
                             : ChannelStatistics{parameters.running.mean,
                                                 parameters.running.variance};
  return convolved;
}

at::Tensor ConvolutionNorm::Normalize(const Convolved& convolved,
                                      const Views& parameters) const {
  return BatchNormForward(convolved.images, convolved.statistics,
                          parameters.norm_weight, parameters.norm_bias,
                          resnet::kEpsilon);
}

at::Tensor ConvolutionNorm::NormBackward(const at::Tensor& output_gradient,
                                         Convolved convolved,
                                         const Views& parameters,
                                         const Views& to,
                                         bool accumulate) const {
  const at::Tensor& images = convolved.images;
  const ParameterGradients store(accumulate);
  const BatchNormGradients to_parameters = {to.norm_weight, to.norm_bias};
  if (is_constant_) {
    return ConstantNormBackward(output_gradient, images, convolved.statistics,
                                parameters.norm_weight, resnet::kEpsilon, store,
                                to_parameters);
  }
  // The step's first micro-batch goes on from what is remembered so far.
  StoreRunning(convolved.statistics, images.size(0) * images.size(2),
               resnet::kMomentum, accumulate ? to.running : parameters.running,
               to.running);
  return BatchNormBackward(output_gradient, images, convolved.statistics,
                           parameters.norm_weight, resnet::kEpsilon, store,
                           to_parameters);
}

void ConvolutionNorm::StoreWeight(const at::Tensor& images,
                                  const at::Tensor& gradient, const Views& to,
                                  bool accumulate) const {
  if (!to.weight.defined()) return;
  StoreConvolution(images, gradient, shape_, accumulate, to.weight);
}

at::Tensor ConvolutionNorm::InputGradient(const at::Tensor& gradient,
                                          const Views& parameters) const {
  return ConvolutionInputGradient(gradient, parameters.weight, shape_);
}

}  // namespace hydra
