#include "worker/model/batch_norm.h"

#include <cmath>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/batch_norm.h"
#include "ATen/ops/full.h"
#include "ATen/ops/full_like.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/rand.h"
#include "ATen/ops/zeros.h"
#include "c10/util/Exception.h"
#include "gtest/gtest.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr double kMomentum = 0.1;

using Shape = std::vector<int64_t>;

// The parameter: images, channels, pixels.
class BatchNormTest : public testing::TestWithParam<Shape> {
 protected:
  struct Result {
    at::Tensor output, input_gradient, weight_gradient, bias_gradient;
  };

  ~BatchNormTest() override { at::set_num_threads(threads_before_); }

  int64_t channels() const { return GetParam()[1]; }
  int64_t values() const { return GetParam()[0] * GetParam()[2]; }

  Result Own(bool accumulate = false) const {
    const ChannelStatistics statistics = StatisticsOf(images_);
    Result result;
    result.output =
        BatchNormForward(images_, statistics, weight_, bias_, kEpsilon);
    result.weight_gradient = at::full_like(weight_, accumulate ? 1 : NAN);
    result.bias_gradient = at::full_like(bias_, accumulate ? 1 : NAN);
    result.input_gradient =
        BatchNormBackward(output_gradient_, images_, statistics, weight_,
                          kEpsilon, ParameterGradients(accumulate),
                          {result.weight_gradient, result.bias_gradient});
    return result;
  }

  // `mean` and `variance` are brought up to date in training.
  Result LibTorchs(bool training, const at::Tensor& mean,
                   const at::Tensor& variance) const {
    const at::Tensor images = images_.detach().requires_grad_();
    const at::Tensor weight = weight_.detach().requires_grad_();
    const at::Tensor bias = bias_.detach().requires_grad_();
    const at::Tensor output =
        at::batch_norm(images, weight, bias, mean, variance, training,
                       kMomentum, kEpsilon, /*cudnn_enabled=*/false);
    output.backward(output_gradient_);
    return {output.detach(), images.grad(), weight.grad(), bias.grad()};
  }

  const int threads_before_ = at::get_num_threads();
  const at::Tensor images_ = RandomTensor(GetParam(), 1).add_(0.5);
  const at::Tensor weight_ = RandomTensor({channels()}, 2);
  const at::Tensor bias_ = RandomTensor({channels()}, 3);
  const at::Tensor output_gradient_ = RandomTensor(GetParam(), 4);
};

INSTANTIATE_TEST_SUITE_P(Shapes, BatchNormTest,
                         testing::Values(Shape{4, 6, 35}, Shape{1, 3, 7},
                                         Shape{64, 5, 1}, Shape{2, 40, 1},
                                         Shape{3, 1, 4000}, Shape{700, 1, 1},
                                         Shape{8, 32, 576}));

TEST_P(BatchNormTest, EqualsLibTorchs) {
  const Result own = Own();
  const Result theirs = LibTorchs(/*training=*/true, at::zeros({channels()}),
                                  at::ones({channels()}));
  EXPECT_LT(RelativeDifference(own.output, theirs.output), 2e-5);
  // Of two values a gradient is but rounding errors.
  if (values() > 2) {
    EXPECT_LT(RelativeDifference(own.input_gradient, theirs.input_gradient),
              5e-5);
  }
  EXPECT_LT(RelativeDifference(own.weight_gradient, theirs.weight_gradient),
            5e-5);
  EXPECT_LT(RelativeDifference(own.bias_gradient, theirs.bias_gradient), 5e-5);
}

TEST_P(BatchNormTest, WithOtherStatisticsItEqualsLibTorchsEvaluation) {
  const ChannelStatistics statistics = {RandomTensor({channels()}, 5),
                                        at::rand({channels()}).add_(0.1)};
  const Result theirs =
      LibTorchs(/*training=*/false, statistics.mean, statistics.variance);
  EXPECT_LT(RelativeDifference(
                BatchNormForward(images_, statistics, weight_, bias_, kEpsilon),
                theirs.output),
            1e-6);
  const at::Tensor of_weight = at::full_like(weight_, NAN);
  const at::Tensor of_bias = at::full_like(bias_, NAN);
  const at::Tensor gradient = ConstantNormBackward(
      output_gradient_, images_, statistics, weight_, kEpsilon,
      ParameterGradients(/*accumulate=*/false), {of_weight, of_bias});
  EXPECT_LT(RelativeDifference(gradient, theirs.input_gradient), 1e-6);
  EXPECT_LT(RelativeDifference(of_weight, theirs.weight_gradient), 5e-5);
  EXPECT_LT(RelativeDifference(of_bias, theirs.bias_gradient), 5e-5);
  // Nobody wants the others.
  EXPECT_TRUE(ConstantNormBackward(output_gradient_, images_, statistics,
                                   weight_, kEpsilon,
                                   ParameterGradients(/*accumulate=*/false), {})
                  .equal(gradient));
}

// Micro-batch after micro-batch.
TEST_P(BatchNormTest, RemembersWhatLibTorchsDoes) {
  const at::Tensor mean = RandomTensor({channels()}, 5);
  const at::Tensor variance = at::rand({channels()}).add_(0.1);
  const RunningStatistics before = {mean.clone(), variance.clone(),
                                    at::full({}, 41)};
  RunningStatistics after = {at::full_like(mean, NAN), at::full_like(mean, NAN),
                             at::full({}, NAN)};
  StoreRunning(StatisticsOf(images_), values(), kMomentum, before, after);
  StoreRunning(StatisticsOf(images_), values(), kMomentum, after, after);
  LibTorchs(/*training=*/true, mean, variance);
  LibTorchs(/*training=*/true, mean, variance);
  EXPECT_LT(RelativeDifference(after.mean, mean), 1e-5);
  EXPECT_LT(RelativeDifference(after.variance, variance), 1e-5);
  EXPECT_EQ(after.batches.item<float>(), 43);
  EXPECT_EQ(before.batches.item<float>(), 41);
}

TEST_P(BatchNormTest, WhatHasNoPlaceIsNotRemembered) {
  const RunningStatistics before = {at::zeros({channels()}),
                                    at::ones({channels()}), at::full({}, 41)};
  RunningStatistics all = {at::zeros({channels()}), at::ones({channels()}),
                           at::full({}, NAN)};
  RunningStatistics mean_alone;
  mean_alone.mean = at::full({channels()}, NAN);
  StoreRunning(StatisticsOf(images_), values(), kMomentum, before, all);
  StoreRunning(StatisticsOf(images_), values(), kMomentum, before, mean_alone);
  EXPECT_TRUE(mean_alone.mean.equal(all.mean));
}

TEST_P(BatchNormTest, AddsIfToldToAccumulate) {
  const Result once = Own();
  const Result added = Own(/*accumulate=*/true);
  EXPECT_TRUE(added.weight_gradient.equal(once.weight_gradient + 1));
  EXPECT_TRUE(added.bias_gradient.equal(once.bias_gradient + 1));
  EXPECT_TRUE(added.input_gradient.equal(once.input_gradient));
}

TEST_P(BatchNormTest, AnyNumberOfThreadsGivesTheSameBits) {
  at::set_num_threads(1);
  const Result one = Own();
  for (int count : {2, 3, 7}) {
    SCOPED_TRACE(count);
    at::set_num_threads(count);
    const Result several = Own();
    EXPECT_TRUE(several.output.equal(one.output));
    EXPECT_TRUE(several.input_gradient.equal(one.input_gradient));
    EXPECT_TRUE(several.weight_gradient.equal(one.weight_gradient));
    EXPECT_TRUE(several.bias_gradient.equal(one.bias_gradient));
  }
}

TEST(BatchNormOfOneValueTest, IsRefused) {
  EXPECT_THROW(StatisticsOf(at::ones({1, 4, 1})), c10::Error);
}

}  // namespace
}  // namespace hydra
