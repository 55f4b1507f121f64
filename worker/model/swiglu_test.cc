#include "worker/model/swiglu.h"

#include <cmath>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/full.h"
#include "ATen/ops/isfinite.h"
#include "ATen/ops/linspace.h"
#include "ATen/ops/silu.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr int64_t kCount = 100003;

at::Tensor Gates() { return at::linspace(-100, 100, kCount); }
at::Tensor Ups() { return at::linspace(3, -2, kCount); }

double LargestDifference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

TEST(SwigluTest, EqualsItsFormula) {
  const at::Tensor expected =
      at::silu(Gates().to(at::kDouble)) * Ups().to(at::kDouble);
  // The largest magnitude is 200.
  EXPECT_LT(LargestDifference(Swiglu(Gates(), Ups()), expected), 4e-5);
}

TEST(SwigluTest, TheDerivativesAreThoseOfItsFormula) {
  const at::Tensor exact_gate = Gates().to(at::kDouble).requires_grad_();
  const at::Tensor exact_up = Ups().to(at::kDouble).requires_grad_();
  (at::silu(exact_gate) * exact_up).sum().backward();
  const at::Tensor gate = Gates();
  const at::Tensor up = Ups();
  SwigluForBackward(gate, up);
  EXPECT_LT(LargestDifference(gate, exact_gate.grad()), 2e-6);
  EXPECT_LT(LargestDifference(up, exact_up.grad()), 2e-5);
}

TEST(SwigluTest, EveryWayAndAnyNumberOfThreadsGivesTheSameBits) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor expected = Swiglu(Gates(), Ups());
  for (int count : {1, 2, 3}) {
    at::set_num_threads(count);
    EXPECT_TRUE(Swiglu(Gates(), Ups()).equal(expected)) << count;
    const at::Tensor in_place = Gates();
    SwigluInPlace(in_place, Ups());
    EXPECT_TRUE(in_place.equal(expected)) << count;
    EXPECT_TRUE(SwigluForBackward(Gates(), Ups()).equal(expected)) << count;
  }
  at::set_num_threads(threads);
}

TEST(SwigluTest, WhatIsNotFiniteStaysSo) {
  for (float x : {NAN, INFINITY, -INFINITY}) {
    // As many as there are in a vector, and one that is alone.
    const at::Tensor wrong = at::full({17}, x);
    const at::Tensor two = at::full({17}, 2.0f);
    EXPECT_FALSE(at::isfinite(Swiglu(wrong, two)).any().item<bool>()) << x;
    EXPECT_FALSE(at::isfinite(Swiglu(two, wrong)).any().item<bool>()) << x;
  }
}

}  // namespace
}  // namespace hydra
