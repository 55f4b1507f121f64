#include "scheduler/core/step_cost.h"

#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

using journal::v1::StepCost;

class StepCostTest : public ::testing::Test {
 protected:
  StepCostTest() { shape_.shards = {{0, 2}, {2, 4}}; }

  std::optional<StepCost> Add(int task, int seconds) {
    worker::v1::TaskCost cost;
    *cost.mutable_wall() = ToProto(absl::Seconds(seconds));
    ChainPosition position;
    position.phase = ChainPosition::Phase::kTrain;
    position.task = task;
    return AddToStep(shape_, position, cost, under_way_);
  }

  JobShape shape_;
  std::optional<StepCost> under_way_;
};

TEST_F(StepCostTest, AWholeStepIsTheSumOfItsTasks) {
  EXPECT_FALSE(Add(0, 1).has_value());
  // It begins again.
  EXPECT_FALSE(Add(0, 2).has_value());
  EXPECT_FALSE(Add(1, 4).has_value());
  const std::optional<StepCost> whole = Add(2, 8);
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ(FromProto(whole->device()), absl::Seconds(14));
  EXPECT_FALSE(under_way_.has_value());
}

TEST_F(StepCostTest, AStepWhoseBeginningIsNotKnownIsNone) {
  EXPECT_FALSE(Add(1, 4).has_value());
  EXPECT_FALSE(Add(2, 8).has_value());
}

TEST_F(StepCostTest, OtherTasksOfTheChainAreNoStep) {
  ChainPosition evaluation;
  evaluation.phase = ChainPosition::Phase::kEvaluate;
  worker::v1::TaskCost cost;
  EXPECT_FALSE(AddToStep(shape_, evaluation, cost, under_way_).has_value());
  EXPECT_FALSE(under_way_.has_value());
}

TEST_F(StepCostTest, TheRateIsOfTheLastTenSeconds) {
  StepLog log;
  EXPECT_EQ(RecentRate(log, 100), 0);
  for (int64_t i = 0; i < 20; ++i) {
    v1::StepMetrics step;
    step.set_step(i);
    // Wall time has no say.
    step.mutable_time()->set_seconds(1000 * i);
    step.mutable_device()->set_seconds(i < 15 ? 50 : 2);
    log.Add(step, i + 1, i);
  }
  EXPECT_EQ(RecentRate(log, 100), 50);
}

}  // namespace
}  // namespace hydra
