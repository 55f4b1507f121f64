#include "worker/model/gelu.h"

#include <cmath>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/full.h"
#include "ATen/ops/isfinite.h"
#include "ATen/ops/linspace.h"
#include "ATen/ops/tanh.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr int64_t kCount = 100003;

at::Tensor Inputs() { return at::linspace(-12, 12, kCount); }

// In double, as GPT-2's authors wrote it.
at::Tensor Expected(const at::Tensor& x) {
  return 0.5 * x *
         (1 + at::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x.pow(3))));
}

double LargestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(GeluTest, EqualsItsFormula) {
  const at::Tensor x = Inputs();
  // The largest magnitude is 12.
  EXPECT_LT(LargestDifference(Gelu(x), Expected(x.to(at::kDouble))), 1e-6);
}

TEST(GeluTest, TheDerivativeIsThatOfItsFormula) {
  const at::Tensor x = Inputs();
  const at::Tensor exact = x.to(at::kDouble).requires_grad_();
  Expected(exact).sum().backward();
  const at::Tensor derivative = x.clone();
  GeluForBackward(derivative);
  EXPECT_LT(LargestDifference(derivative, exact.grad()), 5e-7);
}

TEST(GeluTest, EveryWayAndAnyNumberOfThreadsGivesTheSameBits) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor x = Inputs();
  const at::Tensor expected = Gelu(x);
  for (int count : {1, 2, 3}) {
    at::set_num_threads(count);
    EXPECT_TRUE(Gelu(x).equal(expected)) << count;
    const at::Tensor in_place = x.clone();
    GeluInPlace(in_place);
    EXPECT_TRUE(in_place.equal(expected)) << count;
    EXPECT_TRUE(GeluForBackward(x.clone()).equal(expected)) << count;
  }
  at::set_num_threads(threads);
}

TEST(GeluTest, WhatIsNotFiniteStaysSo) {
  for (float x : {NAN, INFINITY, -INFINITY}) {
    // As many as there are in a vector, and one that is alone.
    EXPECT_FALSE(at::isfinite(Gelu(at::full({17}, x))).any().item<bool>()) << x;
  }
}

}  // namespace
}  // namespace hydra
