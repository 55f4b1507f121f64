#include "scheduler/core/step_cost.h"

#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "common/status/proto_time.h"
#include "scheduler/core/testing/small_job.h"

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

TEST_F(StepCostTest, WhatStepsMoveIsAddedUpBesideWhatWasToBeExpected) {
  ChainPosition position;
  position.phase = ChainPosition::Phase::kTrain;
  position.task = 2;
  JobShape shape;
  shape.table = *SmallJob(1).table;
  shape.state_factor = 2;
  shape.shards = ShardsOf({2}, shape.table->layer_count());
  worker::v1::TaskCost cost;
  cost.mutable_promoted()->set_activations(64);
  cost.mutable_cached()->set_parameters(32);
  cost.mutable_demoted()->set_optimizer_state(16);
  v1::StepTraffic traffic;
  for (position.step = 0; position.step < 3; ++position.step) {
    ASSERT_FALSE(Add(0, 1).has_value());
    AddToStep(shape_, position, cost, under_way_);
    under_way_.emplace();
    const auto whole = AddToStep(shape_, position, cost, under_way_);
    ASSERT_TRUE(whole.has_value());
    AddTraffic(shape, position, *whole, v1::UPDATE_PLACE_HOST, traffic);
  }
  EXPECT_EQ(traffic.steps(), 2) << "the first has no state to move";
  EXPECT_EQ(traffic.promoted().activations(), 128);
  EXPECT_EQ(traffic.cached().parameters(), 64);
  EXPECT_EQ(traffic.demoted().optimizer_state(), 32);
  EXPECT_EQ(traffic.updates(), v1::UPDATE_PLACE_HOST);
  EXPECT_EQ(traffic.predicted_promoted().optimizer_state(), 0);
  EXPECT_GT(traffic.predicted_promoted().parameters(), 0);
  // On another kind of device.
  AddTraffic(shape, position, {}, v1::UPDATE_PLACE_DEVICE, traffic);
  EXPECT_GT(traffic.predicted_promoted().optimizer_state(), 0);
  // A worker of an earlier version does not say.
  AddTraffic(shape, position, {}, v1::UPDATE_PLACE_UNSPECIFIED, traffic);
  EXPECT_EQ(traffic.steps(), 3);
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
