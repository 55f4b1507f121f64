#ifndef HYDRA_WORKER_MODEL_CONVOLUTION_H_
#define HYDRA_WORKER_MODEL_CONVOLUTION_H_

#include "ATen/core/Tensor.h"
#include "common/model/convolution_shape.h"

namespace hydra {

// Convolutions of images without bias, forward and backward by hand, image
// after image as a matrix product with the windows of its pixels; nothing is
// recorded. So each sum is a product's, whose order does not depend on the
// number of threads (product_order.h), and an image's bits do not depend on the
// others of its batch. (LibTorch's own are oneDNN's, which shares the sums of a
// weight's gradient out by the number of threads.)
//
// Images are [images, channels, pixels], row after row; weights are [out, in,
// kernel, kernel].

at::Tensor Convolve(const at::Tensor& images, const at::Tensor& weight,
                    const ConvolutionShape& shape);

// Writes the gradient of the weight to `to`, or adds it, the images' in order.
void StoreConvolution(const at::Tensor& images,
                      const at::Tensor& output_gradient,
                      const ConvolutionShape& shape, bool accumulate,
                      const at::Tensor& to);

// The gradient of the images.
at::Tensor ConvolutionInputGradient(const at::Tensor& output_gradient,
                                    const at::Tensor& weight,
                                    const ConvolutionShape& shape);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_CONVOLUTION_H_
