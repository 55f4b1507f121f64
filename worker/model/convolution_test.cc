#include "worker/model/convolution.h"

#include <cmath>
#include <string>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/conv2d.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/full_like.h"
#include "gtest/gtest.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr int64_t kImages = 3;

// The parameter: a convolution.
class ConvolutionTest : public testing::TestWithParam<ConvolutionShape> {
 protected:
  struct Result {
    at::Tensor output, weight_gradient, input_gradient;
  };

  ~ConvolutionTest() override { at::set_num_threads(threads_before_); }

  Result Own(const at::Tensor& images) const {
    const ConvolutionShape& shape = GetParam();
    Result result;
    result.output = Convolve(images, weight_, shape);
    result.weight_gradient = at::full_like(weight_, NAN);
    StoreConvolution(images, output_gradient_, shape, /*accumulate=*/false,
                     result.weight_gradient);
    result.input_gradient =
        ConvolutionInputGradient(output_gradient_, weight_, shape);
    return result;
  }

  Result LibTorchs() const {
    const ConvolutionShape& shape = GetParam();
    const std::vector<int64_t> stride = {shape.stride, shape.stride};
    const std::vector<int64_t> padding = {shape.padding(), shape.padding()};
    const at::Tensor images =
        images_.view({kImages, shape.in_channels, shape.height, shape.width})
            .detach()
            .requires_grad_();
    const at::Tensor weight = weight_.detach().requires_grad_();
    const at::Tensor output =
        at::conv2d(images, weight, /*bias=*/{}, stride, padding);
    output.backward(output_gradient_.view(output.sizes()));
    return {output.detach().view(output_gradient_.sizes()), weight.grad(),
            images.grad().view(images_.sizes())};
  }

  static void ExpectSame(const Result& actual, const Result& expected) {
    EXPECT_TRUE(actual.output.equal(expected.output));
    EXPECT_TRUE(actual.weight_gradient.equal(expected.weight_gradient));
    EXPECT_TRUE(actual.input_gradient.equal(expected.input_gradient));
  }

  const int threads_before_ = at::get_num_threads();
  const at::Tensor images_ = RandomTensor(
      {kImages, GetParam().in_channels, GetParam().in_pixels()}, 1);
  const at::Tensor weight_ =
      RandomTensor({GetParam().out_channels, GetParam().in_channels,
                    GetParam().kernel, GetParam().kernel},
                   2);
  const at::Tensor output_gradient_ = RandomTensor(
      {kImages, GetParam().out_channels, GetParam().out_pixels()}, 3);
};

ConvolutionShape Shape(int64_t in_channels, int64_t height, int64_t width,
                       int64_t out_channels, int64_t kernel, int64_t stride) {
  ConvolutionShape shape;
  shape.in_channels = in_channels;
  shape.height = height;
  shape.width = width;
  shape.out_channels = out_channels;
  shape.kernel = kernel;
  shape.stride = stride;
  return shape;
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ConvolutionTest,
    testing::Values(Shape(3, 19, 26, 16, 7, 2), Shape(16, 5, 7, 16, 3, 1),
                    Shape(16, 5, 7, 24, 3, 2), Shape(16, 5, 7, 24, 1, 1),
                    Shape(16, 5, 7, 24, 1, 2), Shape(8, 1, 1, 5, 3, 1),
                    Shape(64, 28, 28, 96, 3, 1)),
    [](const testing::TestParamInfo<ConvolutionShape>& info) {
      const ConvolutionShape& shape = info.param;
      return "From" + std::to_string(shape.in_channels) + "x" +
             std::to_string(shape.height) + "x" + std::to_string(shape.width) +
             "To" + std::to_string(shape.out_channels) + "Kernel" +
             std::to_string(shape.kernel) + "Stride" +
             std::to_string(shape.stride);
    });

TEST_P(ConvolutionTest, ComputesWhatLibTorchDoes) {
  const Result own = Own(images_);
  const Result expected = LibTorchs();
  EXPECT_LT(RelativeDifference(own.output, expected.output), 1e-5);
  EXPECT_LT(RelativeDifference(own.weight_gradient, expected.weight_gradient),
            1e-5);
  EXPECT_LT(RelativeDifference(own.input_gradient, expected.input_gradient),
            1e-5);
}

TEST_P(ConvolutionTest, AddsIfToldToAccumulate) {
  const Result once = Own(images_);
  const at::Tensor twice = once.weight_gradient.clone();
  StoreConvolution(images_, output_gradient_, GetParam(), /*accumulate=*/true,
                   twice);
  EXPECT_LT(RelativeDifference(twice, once.weight_gradient * 2), 1e-6);
}

TEST_P(ConvolutionTest, AnyNumberOfThreadsGivesTheSameBits) {
  at::set_num_threads(1);
  const Result one = Own(images_);
  for (int count : {2, 3, 7}) {
    SCOPED_TRACE(count);
    at::set_num_threads(count);
    ExpectSame(Own(images_), one);
  }
}

TEST_P(ConvolutionTest, WhereverImagesLieTheBitsAreTheSame) {
  const Result expected = Own(images_);
  for (int64_t shift : {1, 3, 16}) {
    SCOPED_TRACE(shift);
    const at::Tensor moved = at::empty({shift + images_.numel()})
                                 .narrow(0, shift, images_.numel())
                                 .view(images_.sizes());
    ExpectSame(Own(moved.copy_(images_)), expected);
  }
}

TEST_P(ConvolutionTest, AnImagesBitsDoNotDependOnTheOthers) {
  const at::Tensor all = Convolve(images_, weight_, GetParam());
  for (int64_t i = 0; i < kImages; ++i) {
    EXPECT_TRUE(Convolve(images_.narrow(0, i, 1), weight_, GetParam())
                    .equal(all.narrow(0, i, 1)));
  }
}

}  // namespace
}  // namespace hydra
