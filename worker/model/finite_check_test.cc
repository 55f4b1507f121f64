#include "worker/model/finite_check.h"

#include <limits>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/full.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/zeros.h"
#include "gtest/gtest.h"
#include "worker/model/counting_allocator.h"

namespace hydra {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kLargest = std::numeric_limits<float>::max();

TEST(FiniteCheckTest, FindsOneBadNumberWhereverItIs) {
  for (int64_t count : {1, 7, 16, 33, 100}) {
    at::Tensor numbers = at::ones({count});
    for (int64_t i = 0; i < count; ++i) {
      for (float bad : {kInfinity, -kInfinity, kNan, -kNan}) {
        numbers[i] = bad;
        EXPECT_FALSE(AllFinite(numbers)) << bad << " at " << i << "/" << count;
        EXPECT_FALSE(AllFinite(numbers.const_data_ptr<float>(), count));
      }
      numbers[i] = 1;
    }
    EXPECT_TRUE(AllFinite(numbers));
    EXPECT_TRUE(AllFinite(numbers.const_data_ptr<float>(), count));
  }
}

TEST(FiniteCheckTest, FindsOneBadNumberAmongManyInEveryThreadsPart) {
  for (int threads : {1, 2}) {
    at::set_num_threads(threads);
    at::Tensor numbers = at::zeros({1 << 18});
    for (int64_t i = 0; i < numbers.numel(); i += 4099) {
      numbers[i] = kNan;
      EXPECT_FALSE(AllFinite(numbers)) << i;
      numbers[i] = 0;
    }
    EXPECT_TRUE(AllFinite(numbers));
  }
}

TEST(FiniteCheckTest, IsNotMisledByLargeNumbers) {
  at::Tensor numbers = at::full({1000}, kLargest);
  EXPECT_TRUE(AllFinite(numbers));
  numbers.narrow(0, 0, 500).neg_();
  EXPECT_TRUE(AllFinite(numbers));
  numbers[3] = std::numeric_limits<float>::denorm_min();
  EXPECT_TRUE(AllFinite(numbers));
  EXPECT_TRUE(AllFinite(numbers.const_data_ptr<float>(), 1000));
}

TEST(FiniteCheckTest, NeedsNoMemoryToSpeakOf) {
  const at::Tensor numbers = at::zeros({1 << 20});
  const CountingAllocator allocator;
  EXPECT_TRUE(AllFinite(numbers));
  EXPECT_LT(allocator.peak_bytes(), 256);
}

}  // namespace
}  // namespace hydra
