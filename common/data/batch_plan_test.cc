#include "common/data/batch_plan.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

BatchOrder MakeOrder(int64_t window_count, int64_t batch_size, uint64_t seed) {
  return *BatchOrder::Create(window_count, batch_size, seed);
}

std::vector<int64_t> Epoch(BatchOrder order, int64_t epoch) {
  std::vector<int64_t> windows;
  const int64_t steps = order.steps_per_epoch();
  for (int64_t step = epoch * steps; step < (epoch + 1) * steps; ++step) {
    const std::vector<int64_t> batch = order.WindowsOfStep(step);
    windows.insert(windows.end(), batch.begin(), batch.end());
  }
  return windows;
}

TEST(WindowCountTest, EveryWindowHasOneMoreTokenThanTheContext) {
  EXPECT_EQ(WindowCount(0, 4), 0);
  EXPECT_EQ(WindowCount(1, 4), 0);
  EXPECT_EQ(WindowCount(4, 4), 0);
  EXPECT_EQ(WindowCount(5, 4), 1);
  EXPECT_EQ(WindowCount(8, 4), 1);
  EXPECT_EQ(WindowCount(9, 4), 2);
}

TEST(StepsPerEpochTest, DropsTheIncompleteLastBatch) {
  EXPECT_EQ(StepsPerEpoch(11, 4), 2);
  EXPECT_EQ(StepsPerEpoch(12, 4), 3);
  EXPECT_EQ(StepsPerEpoch(3, 4), 0);
}

// The expected numbers come from a Python program written from the header's
// description: they pin the order for every platform and every release.
TEST(BatchOrderTest, FollowsTheDocumentedOrder) {
  EXPECT_THAT(Epoch(MakeOrder(10, 1, 7), 0),
              ElementsAre(7, 2, 9, 6, 0, 3, 5, 4, 1, 8));
  EXPECT_THAT(Epoch(MakeOrder(10, 1, 7), 1),
              ElementsAre(4, 2, 5, 0, 6, 3, 1, 7, 8, 9));
  EXPECT_THAT(Epoch(MakeOrder(10, 1, UINT64_MAX), 0),
              ElementsAre(3, 1, 7, 8, 9, 6, 5, 0, 4, 2));
}

TEST(BatchOrderTest, BatchesAreConsecutiveSlicesOfTheEpochsOrder) {
  BatchOrder order = MakeOrder(10, 4, 7);
  EXPECT_EQ(order.steps_per_epoch(), 2);
  EXPECT_THAT(order.WindowsOfStep(0), ElementsAre(7, 2, 9, 6));
  EXPECT_THAT(order.WindowsOfStep(1), ElementsAre(0, 3, 5, 4));
  EXPECT_THAT(order.WindowsOfStep(2), ElementsAre(4, 2, 5, 0));
  EXPECT_THAT(order.WindowsOfStep(3), ElementsAre(6, 3, 1, 7));
}

TEST(BatchOrderTest, AnEpochTakesEveryWindowOnce) {
  std::vector<int64_t> windows = Epoch(MakeOrder(1000, 8, 3), 5);
  std::sort(windows.begin(), windows.end());
  std::vector<int64_t> all(1000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(windows, all);
}

TEST(BatchOrderTest, DoesNotDependOnWhatWasAskedBefore) {
  BatchOrder forth = MakeOrder(50, 4, 1);
  BatchOrder back = MakeOrder(50, 4, 1);
  std::map<int64_t, std::vector<int64_t>> expected;
  for (int64_t step = 0; step < 40; ++step) {
    expected[step] = forth.WindowsOfStep(step);
  }
  for (int64_t step = 39; step >= 0; --step) {
    EXPECT_EQ(back.WindowsOfStep(step), expected[step]) << "step " << step;
  }
}

TEST(BatchOrderTest, EveryOrderOfFourWindowsIsAboutEquallyLikely) {
  std::map<std::vector<int64_t>, int> counts;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    for (int64_t epoch = 0; epoch < 100; ++epoch) {
      ++counts[Epoch(MakeOrder(4, 4, seed), epoch)];
    }
  }
  ASSERT_EQ(counts.size(), 24);
  for (const auto& [order, count] : counts) {
    EXPECT_NEAR(count, 10000 / 24, 100) << ::testing::PrintToString(order);
  }
}

TEST(BatchOrderTest, RefusesASplitThatIsShorterThanOneBatch) {
  const auto order = BatchOrder::Create(7, 8, 0);
  EXPECT_EQ(order.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(order.status().message(), HasSubstr("7 windows"));
  EXPECT_THAT(order.status().message(), HasSubstr("batch of 8"));
  EXPECT_FALSE(BatchOrder::Create(7, 0, 0).ok());
  EXPECT_FALSE(BatchOrder::Create(int64_t{1} << 32, 8, 0).ok());
}

TEST(MicroBatchWindowsTest, SlicesAStepsWindowsInOrder) {
  const std::vector<int64_t> windows = {9, 4, 7, 1, 0, 3};
  EXPECT_THAT(MicroBatchWindows(windows, 0, 3), ElementsAre(9, 4));
  EXPECT_THAT(MicroBatchWindows(windows, 1, 3), ElementsAre(7, 1));
  EXPECT_THAT(MicroBatchWindows(windows, 2, 3), ElementsAre(0, 3));
  EXPECT_THAT(MicroBatchWindows(windows, 0, 1), ElementsAre(9, 4, 7, 1, 0, 3));
}

TEST(MicroBatchWindowsDeathTest, RefusesABatchThatDoesNotDivide) {
  const std::vector<int64_t> windows = {9, 4, 7};
  EXPECT_DEATH(MicroBatchWindows(windows, 0, 2), "");
}

TEST(EvaluationBatchTest, TakesEveryWindowInSequenceAndEndsWithAShorterBatch) {
  ASSERT_EQ(EvaluationBatchCount(10, 4), 3);
  EXPECT_EQ(EvaluationBatchCount(8, 4), 2);
  EXPECT_EQ(EvaluationBatchCount(0, 4), 0);
  int64_t next = 0;
  std::vector<int64_t> counts;
  for (int64_t batch = 0; batch < 3; ++batch) {
    const WindowRange range = EvaluationBatch(10, 4, batch);
    EXPECT_EQ(range.first, next);
    next += range.count;
    counts.push_back(range.count);
  }
  EXPECT_THAT(counts, ElementsAre(4, 4, 2));
}

}  // namespace
}  // namespace hydra
