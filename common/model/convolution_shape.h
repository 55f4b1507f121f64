#ifndef HYDRA_COMMON_MODEL_CONVOLUTION_SHAPE_H_
#define HYDRA_COMMON_MODEL_CONVOLUTION_SHAPE_H_

#include <cstdint>

namespace hydra {

// A convolution of images with square kernels of an odd size, padded by half of
// that with zeros on each side. A value type.
struct ConvolutionShape {
  int64_t in_channels = 0;
  // Of what goes in, in pixels.
  int64_t height = 0;
  int64_t width = 0;
  int64_t out_channels = 0;
  int64_t kernel = 1;
  int64_t stride = 1;

  int64_t padding() const { return kernel / 2; }
  int64_t out_height() const { return Shrunk(height); }
  int64_t out_width() const { return Shrunk(width); }
  int64_t in_pixels() const { return height * width; }
  int64_t out_pixels() const { return out_height() * out_width(); }
  // Of an image, in all channels.
  int64_t in_numbers() const { return in_channels * in_pixels(); }
  int64_t out_numbers() const { return out_channels * out_pixels(); }
  // What a pixel that comes out is made of.
  int64_t window_numbers() const { return in_channels * kernel * kernel; }
  int64_t weight_numbers() const { return out_channels * window_numbers(); }
  // Each pixel is made of the one in its place.
  bool is_pointwise() const { return kernel == 1 && stride == 1; }

 private:
  int64_t Shrunk(int64_t side) const { return (side - 1) / stride + 1; }
};

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_CONVOLUTION_SHAPE_H_
