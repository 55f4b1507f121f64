#include "common/model/learning_rate.h"

#include <gtest/gtest.h>

#include <vector>

#include "common/model/optimizer.h"

namespace hydra {
namespace {

using hydra::v1::LrSchedulerType;
using hydra::v1::TrainSpec;

TrainSpec Spec(LrSchedulerType schedule, int64_t warmup_steps = 0) {
  TrainSpec train;
  train.set_learning_rate(1e-3);
  train.set_lr_scheduler_type(schedule);
  train.set_warmup_steps(warmup_steps);
  return train;
}

// Of ten steps.
void ExpectRates(const TrainSpec& train, const std::vector<double>& expected) {
  for (size_t step = 0; step < expected.size(); ++step) {
    EXPECT_NEAR(LearningRateAt(train, static_cast<int64_t>(step), 10),
                expected[step], 1e-15)
        << "step " << step;
  }
}

// By the formulas of transformers' get_scheduler with three of ten steps of
// warm-up.
TEST(LearningRateTest, GrowsInWarmupAndThenFollowsTheSchedule) {
  ExpectRates(
      Spec(hydra::v1::LR_SCHEDULER_TYPE_CONSTANT, 3),
      {0, 1e-3 / 3, 2e-3 / 3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1e-3});
  ExpectRates(Spec(hydra::v1::LR_SCHEDULER_TYPE_LINEAR, 3),
              {0, 1e-3 / 3, 2e-3 / 3, 1e-3, 6e-3 / 7, 5e-3 / 7, 4e-3 / 7,
               3e-3 / 7, 2e-3 / 7, 1e-3 / 7});
  ExpectRates(
      Spec(hydra::v1::LR_SCHEDULER_TYPE_COSINE, 3),
      {0, 1e-3 / 3, 2e-3 / 3, 1e-3, 0.9504844339512095e-3,
       0.8117449009293668e-3, 0.6112604669781572e-3, 0.3887395330218429e-3,
       0.1882550990706332e-3, 0.0495155660487905e-3});
}

TEST(LearningRateTest, WithoutWarmupBeginsAtTheFullRate) {
  ExpectRates(Spec(hydra::v1::LR_SCHEDULER_TYPE_LINEAR),
              {1e-3, 0.9e-3, 0.8e-3, 0.7e-3, 0.6e-3, 0.5e-3, 0.4e-3, 0.3e-3,
               0.2e-3, 0.1e-3});
  ExpectRates(Spec(hydra::v1::LR_SCHEDULER_TYPE_CONSTANT), {1e-3, 1e-3, 1e-3});
}

// As cosine_with_min_lr, min_lr=1e-4.
TEST(LearningRateTest, FallsToTheLeastRate) {
  TrainSpec train = Spec(hydra::v1::LR_SCHEDULER_TYPE_COSINE);
  train.set_min_learning_rate(1e-4);
  EXPECT_DOUBLE_EQ(LearningRateAt(train, 0, 10), 1e-3);
  EXPECT_DOUBLE_EQ(LearningRateAt(train, 5, 10), 0.55e-3);
  EXPECT_DOUBLE_EQ(LearningRateAt(train, 10, 10), 1e-4);
}

TEST(LearningRateTest, WarmupIsAPartOfAllStepsRoundedUp) {
  TrainSpec train = Spec(hydra::v1::LR_SCHEDULER_TYPE_LINEAR);
  train.set_warmup_ratio(0.25);
  EXPECT_EQ(WarmupSteps(train, 10), 3);
  EXPECT_EQ(WarmupSteps(train, 8), 2);
  EXPECT_EQ(WarmupSteps(train, 0), 0);
  EXPECT_DOUBLE_EQ(LearningRateAt(train, 1, 10), 1e-3 / 3);
}

TEST(LearningRateTest, IsNeverBelowZeroBeyondTheEnd) {
  EXPECT_EQ(LearningRateAt(Spec(hydra::v1::LR_SCHEDULER_TYPE_LINEAR), 11, 10),
            0);
  EXPECT_EQ(
      LearningRateAt(Spec(hydra::v1::LR_SCHEDULER_TYPE_LINEAR, 10), 10, 10),
      1e-3);
}

TEST(LearningRateTest, IsWhatAnUpdateComputesWith) {
  const TrainSpec train = Spec(hydra::v1::LR_SCHEDULER_TYPE_LINEAR, 3);
  EXPECT_EQ(At(train, 2, 10).learning_rate, LearningRateAt(train, 2, 10));
}

}  // namespace
}  // namespace hydra
