#include "worker/model/gelu.h"

#include <cmath>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/erf.h"
#include "ATen/ops/full.h"
#include "ATen/ops/isfinite.h"
#include "ATen/ops/linspace.h"
#include "ATen/ops/tanh.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr int64_t kCount = 100003;

at::Tensor Inputs() { return at::linspace(-12, 12, kCount); }

// The parameter: the formula.
class GeluTest : public testing::TestWithParam<GeluFormula> {};

INSTANTIATE_TEST_SUITE_P(All, GeluTest,
                         testing::Values(GeluFormula::kTanh, GeluFormula::kErf),
                         [](const auto& info) {
                           return info.param == GeluFormula::kTanh ? "Tanh"
                                                                   : "Erf";
                         });

// In double, as GPT-2's authors wrote it, or with the error function.
at::Tensor Expected(const at::Tensor& x, GeluFormula formula) {
  if (formula == GeluFormula::kErf) {
    return 0.5 * x * (1 + at::erf(x * M_SQRT1_2));
  }
  return 0.5 * x *
         (1 + at::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x.pow(3))));
}

double LargestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST_P(GeluTest, EqualsItsFormula) {
  const at::Tensor x = Inputs();
  // The largest magnitude is 12.
  EXPECT_LT(LargestDifference(Gelu(x, GetParam()),
                              Expected(x.to(at::kDouble), GetParam())),
            1e-6);
}

TEST_P(GeluTest, TheDerivativeIsThatOfItsFormula) {
  const at::Tensor x = Inputs();
  const at::Tensor exact = x.to(at::kDouble).requires_grad_();
  Expected(exact, GetParam()).sum().backward();
  const at::Tensor derivative = x.clone();
  GeluForBackward(derivative, GetParam());
  EXPECT_LT(LargestDifference(derivative, exact.grad()), 5e-7);
}

TEST_P(GeluTest, EveryWayAndAnyNumberOfThreadsGivesTheSameBits) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor x = Inputs();
  const at::Tensor expected = Gelu(x, GetParam());
  for (int count : {1, 2, 3}) {
    at::set_num_threads(count);
    EXPECT_TRUE(Gelu(x, GetParam()).equal(expected)) << count;
    const at::Tensor in_place = x.clone();
    GeluInPlace(in_place, GetParam());
    EXPECT_TRUE(in_place.equal(expected)) << count;
    EXPECT_TRUE(GeluForBackward(x.clone(), GetParam()).equal(expected))
        << count;
  }
  at::set_num_threads(threads);
}

TEST_P(GeluTest, WhatIsNotFiniteStaysSo) {
  for (float x : {NAN, INFINITY, -INFINITY}) {
    // As many as there are in a vector, and one that is alone.
    EXPECT_FALSE(
        at::isfinite(Gelu(at::full({17}, x), GetParam())).any().item<bool>())
        << x;
  }
}

}  // namespace
}  // namespace hydra
