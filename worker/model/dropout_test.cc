#include "worker/model/dropout.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/ones.h"
#include "gtest/gtest.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

// Of a tensor of ones, which places are dropped.
at::Tensor Dropped(const Dropout& dropout, int64_t count,
                   int64_t first_place = 0) {
  const at::Tensor ones = at::ones({count});
  DropOut(ones, dropout, first_place);
  return ones.eq(0);
}

double Share(const at::Tensor& mask) {
  return mask.sum().item<double>() / static_cast<double>(mask.numel());
}

TEST(DropoutTest, DropsItsShareAndScalesTheRest) {
  constexpr int64_t kCount = 1 << 20;
  for (double probability : {0.1, 0.25, 0.9}) {
    const at::Tensor numbers = RandomTensor({kCount}, 1);
    const at::Tensor before = numbers.clone();
    DropOut(numbers, {probability, 7});
    const at::Tensor dropped = numbers.eq(0);
    // Four standard deviations.
    EXPECT_NEAR(Share(dropped), probability,
                4 * std::sqrt(probability * (1 - probability) / kCount));
    EXPECT_TRUE(numbers.equal(
        before.mul(1 / (1 - probability)).masked_fill(dropped, 0)));
  }
}

TEST(DropoutTest, NoProbabilityChangesNothing) {
  EXPECT_EQ(Share(Dropped({0, 7}, 1000)), 0);
}

// Neighbours, whatever their distance, and masks of seeds that are alike: as
// many are dropped together as chance has it.
TEST(DropoutTest, PlacesAndSeedsAreIndependent) {
  constexpr int64_t kCount = 1 << 20;
  constexpr double kHalf = 0.5;
  const at::Tensor mask = Dropped({kHalf, 7}, 2 * kCount);
  const at::Tensor here = mask.narrow(0, 0, kCount);
  const double tolerance = 5 * std::sqrt(0.25 * 0.75 / kCount);
  for (int64_t distance : {1, 2, 3, 64, 256, 768, 4096, 65536, 1 << 20}) {
    EXPECT_NEAR(Share(here.logical_and(mask.narrow(0, distance, kCount))), 0.25,
                tolerance)
        << distance;
  }
  for (uint64_t seed :
       {uint64_t{0}, uint64_t{6}, uint64_t{8}, uint64_t{7} << 32}) {
    EXPECT_NEAR(Share(here.logical_and(Dropped({kHalf, seed}, kCount))), 0.25,
                tolerance)
        << seed;
  }
}

TEST(DropoutTest, APartDropsWhatTheWholeDrops) {
  constexpr int64_t kCount = 200000;
  const Dropout dropout{0.1, 7};
  const at::Tensor whole = Dropped(dropout, kCount);
  for (int64_t first : {1, 77, 65536, 131072}) {
    EXPECT_TRUE(whole.narrow(0, first, kCount - first)
                    .equal(Dropped(dropout, kCount - first, first)));
  }
}

TEST(DropoutTest, AnyNumberOfThreadsDropsTheSame) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = Dropped({0.1, 7}, 1 << 20);
  for (int count : {2, 3, 7}) {
    at::set_num_threads(count);
    EXPECT_TRUE(Dropped({0.1, 7}, 1 << 20).equal(one)) << count;
  }
  at::set_num_threads(threads);
}

TEST(DropoutTest, LibTorchsOperationsDropTheSame) {
  // Across the end of the first 2^32 places too.
  for (int64_t first :
       {int64_t{0}, int64_t{12345}, (int64_t{1} << 32) - 1000}) {
    const at::Tensor kernel = RandomTensor({3, 200, 1000}, 1);
    const at::Tensor operations = kernel.clone();
    DropOut(kernel, {0.3, 7}, first);
    DropOutByOperations(operations, {0.3, 7}, first);
    EXPECT_TRUE(operations.equal(kernel)) << first;
  }
}

TEST(DropoutTest, MasksNeverChange) {
  const at::Tensor mask = Dropped({0.5, 42}, 32);
  uint32_t bits = 0;
  for (int64_t i = 0; i < 32; ++i) {
    bits |= static_cast<uint32_t>(mask[i].item<bool>()) << i;
  }
  EXPECT_EQ(bits, 3768767612u);
}

}  // namespace
}  // namespace hydra
