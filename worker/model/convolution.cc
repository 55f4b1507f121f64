#include "worker/model/convolution.h"

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "ATen/ops/col2im.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/im2col.h"
#include "ATen/ops/mm.h"
#include "c10/core/GradMode.h"

namespace hydra {
namespace {

// [window, pixels] of an image [channels, pixels]: in each column the window
// that a pixel is made of, channel after channel, row after row, as a weight
// has them.
at::Tensor WindowsOf(const at::Tensor& image, const ConvolutionShape& shape) {
  if (shape.is_pointwise()) return image;
  return at::im2col(image.view({shape.in_channels, shape.height, shape.width}),
                    /*kernel_size=*/{shape.kernel, shape.kernel},
                    /*dilation=*/{1, 1},
                    /*padding=*/{shape.padding(), shape.padding()},
                    /*stride=*/{shape.stride, shape.stride});
}

// Adds up each pixel's numbers in all windows.
at::Tensor ImageOf(const at::Tensor& windows, const ConvolutionShape& shape) {
  return at::col2im(windows, /*output_size=*/{shape.height, shape.width},
                    /*kernel_size=*/{shape.kernel, shape.kernel},
                    /*dilation=*/{1, 1},
                    /*padding=*/{shape.padding(), shape.padding()},
                    /*stride=*/{shape.stride, shape.stride})
      .view({shape.in_channels, shape.in_pixels()});
}

// [out, window].
at::Tensor MatrixOf(const at::Tensor& weight) {
  return weight.view({weight.size(0), -1});
}

}  // namespace

at::Tensor Convolve(const at::Tensor& images, const at::Tensor& weight,
                    const ConvolutionShape& shape) {
  const at::NoGradGuard no_grad;
  const at::Tensor matrix = MatrixOf(weight);
  const at::Tensor output =
      at::empty({images.size(0), shape.out_channels, shape.out_pixels()},
                images.options());
  for (int64_t i = 0; i < images.size(0); ++i) {
    at::Tensor to = output.select(0, i);
    at::mm_out(to, matrix, WindowsOf(images.select(0, i), shape));
  }
  return output;
}

void StoreConvolution(const at::Tensor& images,
                      const at::Tensor& output_gradient,
                      const ConvolutionShape& shape, bool accumulate,
                      const at::Tensor& to) {
  const at::NoGradGuard no_grad;
  const at::Tensor matrix = MatrixOf(to);
  for (int64_t i = 0; i < images.size(0); ++i) {
    matrix.addmm_(output_gradient.select(0, i),
                  WindowsOf(images.select(0, i), shape).t(),
                  /*beta=*/accumulate || i > 0 ? 1 : 0);
  }
}

at::Tensor ConvolutionInputGradient(const at::Tensor& output_gradient,
                                    const at::Tensor& weight,
                                    const ConvolutionShape& shape) {
  const at::NoGradGuard no_grad;
  const at::Tensor matrix = MatrixOf(weight).t();
  const at::Tensor gradient =
      at::empty({output_gradient.size(0), shape.in_channels, shape.in_pixels()},
                output_gradient.options());
  for (int64_t i = 0; i < output_gradient.size(0); ++i) {
    at::Tensor to = gradient.select(0, i);
    if (shape.is_pointwise()) {
      at::mm_out(to, matrix, output_gradient.select(0, i));
    } else {
      to.copy_(ImageOf(matrix.mm(output_gradient.select(0, i)), shape));
    }
  }
  return gradient;
}

}  // namespace hydra
