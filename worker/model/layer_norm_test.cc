#include "worker/model/layer_norm.h"

#include <cmath>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/full_like.h"
#include "ATen/ops/layer_norm.h"
#include "gtest/gtest.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr int64_t kWidth = 40;
constexpr double kEpsilon = 1e-5;

// The parameter: rows.
class LayerNormTest : public testing::TestWithParam<int64_t> {
 protected:
  // Gradients for a fixed output gradient.
  struct Gradients {
    at::Tensor input;
    at::Tensor weight;
    at::Tensor bias;
  };

  Gradients Own(bool accumulate = false) const {
    NormStatistics statistics;
    LayerNormForward(input_, weight_, bias_, kEpsilon, &statistics);
    Gradients gradients;
    gradients.weight = at::full_like(weight_, accumulate ? 1 : NAN);
    gradients.bias = at::full_like(bias_, accumulate ? 1 : NAN);
    gradients.input = LayerNormBackward(
        output_gradient_, input_, weight_, statistics,
        ParameterGradients(accumulate), {gradients.weight, gradients.bias});
    return gradients;
  }

  Gradients LibTorchs() const {
    const at::Tensor input = input_.detach().requires_grad_();
    const at::Tensor weight = weight_.detach().requires_grad_();
    const at::Tensor bias = bias_.detach().requires_grad_();
    at::layer_norm(input, {kWidth}, weight, bias, kEpsilon)
        .backward(output_gradient_);
    return {input.grad(), weight.grad(), bias.grad()};
  }

  const at::Tensor input_ = RandomTensor({GetParam(), kWidth}, 1);
  const at::Tensor weight_ = RandomTensor({kWidth}, 2);
  const at::Tensor bias_ = RandomTensor({kWidth}, 3);
  const at::Tensor output_gradient_ = RandomTensor(input_.sizes(), 4);
};

INSTANTIATE_TEST_SUITE_P(Rows, LayerNormTest,
                         testing::Values(1, 2, 15, 16, 17, 1000));

TEST_P(LayerNormTest, EqualsLibTorchs) {
  NormStatistics statistics;
  EXPECT_TRUE(
      LayerNormForward(input_, weight_, bias_, kEpsilon, &statistics)
          .equal(at::layer_norm(input_, {kWidth}, weight_, bias_, kEpsilon)));
  const Gradients own = Own();
  const Gradients theirs = LibTorchs();
  EXPECT_LT(RelativeDifference(own.input, theirs.input), 1e-6);
  EXPECT_LT(RelativeDifference(own.weight, theirs.weight), 1e-6);
  EXPECT_LT(RelativeDifference(own.bias, theirs.bias), 1e-6);
}

TEST_P(LayerNormTest, AddsIfToldToAccumulate) {
  const Gradients once = Own();
  const Gradients added = Own(/*accumulate=*/true);
  EXPECT_TRUE(added.weight.equal(once.weight + 1));
  EXPECT_TRUE(added.bias.equal(once.bias + 1));
  EXPECT_TRUE(added.input.equal(once.input));
}

TEST_P(LayerNormTest, AnyNumberOfThreadsGivesTheSameBits) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const Gradients one = Own();
  for (int count : {2, 3, 7}) {
    at::set_num_threads(count);
    const Gradients several = Own();
    EXPECT_TRUE(several.input.equal(one.input)) << count;
    EXPECT_TRUE(several.weight.equal(one.weight)) << count;
    EXPECT_TRUE(several.bias.equal(one.bias)) << count;
  }
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace hydra
