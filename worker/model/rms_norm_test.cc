#include "worker/model/rms_norm.h"

#include <cmath>
#include <tuple>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/full_like.h"
#include "gtest/gtest.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr double kEpsilon = 1e-5;

// The parameters: rows and width.
class RmsNormTest
    : public testing::TestWithParam<std::tuple<int64_t, int64_t>> {
 protected:
  struct Gradients {
    at::Tensor input;
    at::Tensor weight;
  };

  static at::Tensor Plain(const at::Tensor& input, const at::Tensor& weight) {
    return input *
           (input.square().mean(-1, /*keepdim=*/true) + kEpsilon).rsqrt() *
           weight;
  }

  // Gradients for a fixed output gradient.
  Gradients Own(bool accumulate = false) const {
    at::Tensor inverse_root;
    RmsNormForward(input_, weight_, kEpsilon, &inverse_root);
    Gradients gradients;
    gradients.weight = at::full_like(weight_, accumulate ? 1 : NAN);
    gradients.input = output_gradient_.clone();
    RmsNormBackward(input_, weight_, inverse_root,
                    ParameterGradients(accumulate), gradients.weight,
                    gradients.input);
    return gradients;
  }

  // In double, by autograd.
  Gradients Exact() const {
    const at::Tensor input = input_.to(at::kDouble).requires_grad_();
    const at::Tensor weight = weight_.to(at::kDouble).requires_grad_();
    Plain(input, weight).backward(output_gradient_.to(at::kDouble));
    return {input.grad(), weight.grad()};
  }

  const at::Tensor input_ =
      RandomTensor({std::get<0>(GetParam()), std::get<1>(GetParam())}, 1);
  const at::Tensor weight_ = RandomTensor({std::get<1>(GetParam())}, 2);
  const at::Tensor output_gradient_ = RandomTensor(input_.sizes(), 3);
};

INSTANTIATE_TEST_SUITE_P(Sizes, RmsNormTest,
                         testing::Combine(testing::Values(1, 2, 17, 1000),
                                          testing::Values(2, 15, 16, 40, 513)));

TEST_P(RmsNormTest, EqualsItsFormula) {
  at::Tensor inverse_root;
  const at::Tensor output =
      RmsNormForward(input_, weight_, kEpsilon, &inverse_root);
  EXPECT_LT(RelativeDifference(
                output, Plain(input_.to(at::kDouble), weight_.to(at::kDouble))),
            1e-6);
  const Gradients own = Own();
  const Gradients exact = Exact();
  EXPECT_LT(RelativeDifference(own.input, exact.input), 1e-6);
  EXPECT_LT(RelativeDifference(own.weight, exact.weight), 1e-6);
}

TEST_P(RmsNormTest, AddsIfToldToAccumulate) {
  const Gradients once = Own();
  const Gradients added = Own(/*accumulate=*/true);
  EXPECT_TRUE(added.weight.equal(once.weight + 1));
  EXPECT_TRUE(added.input.equal(once.input));
}

TEST_P(RmsNormTest, AnyNumberOfThreadsGivesTheSameBits) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  at::Tensor inverse_root;
  const at::Tensor output =
      RmsNormForward(input_, weight_, kEpsilon, &inverse_root);
  const Gradients one = Own();
  for (int count : {2, 3, 7}) {
    at::set_num_threads(count);
    EXPECT_TRUE(
        RmsNormForward(input_, weight_, kEpsilon, &inverse_root).equal(output))
        << count;
    const Gradients several = Own();
    EXPECT_TRUE(several.input.equal(one.input)) << count;
    EXPECT_TRUE(several.weight.equal(one.weight)) << count;
  }
  at::set_num_threads(threads);
}

TEST_P(RmsNormTest, ARowsBitsDoNotDependOnTheOthers) {
  at::Tensor inverse_root;
  const at::Tensor all =
      RmsNormForward(input_, weight_, kEpsilon, &inverse_root);
  const int64_t last = input_.size(0) - 1;
  const at::Tensor alone = RmsNormForward(input_.narrow(0, last, 1), weight_,
                                          kEpsilon, &inverse_root);
  EXPECT_TRUE(alone.equal(all.narrow(0, last, 1)));
}

}  // namespace
}  // namespace hydra
