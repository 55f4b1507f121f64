#include "scheduler/core/job_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "common/model/frozen_type.h"
#include "common/model/trained_type.h"
#include "scheduler/core/admission.h"
#include "scheduler/core/testing/small_job.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kPlenty = int64_t{1} << 40;

v1::DevicePlan PlanOn(const NewJob& job, int64_t device_bytes) {
  PlanLimits limits;
  limits.device_memory_bytes = {device_bytes};
  return PlanJob(job, limits).devices(0);
}

TEST(JobPlanTest, ALargeDeviceHoldsTheWholeModel) {
  const v1::DevicePlan plan = PlanOn(SmallJob(1), kPlenty);
  EXPECT_EQ(plan.refusal(), "");
  EXPECT_EQ(plan.cut_points_size(), 0);
  EXPECT_GT(plan.backward_bytes(), plan.evaluate_bytes());
  EXPECT_EQ(plan.forward_bytes(), 0) << "the only shard turns";
}

TEST(JobPlanTest, TheLeastDeviceSufficesAndASmallerOneIsRefused) {
  const NewJob job = SmallJob(1);
  const int64_t least = PlanJob(job, {}).least_device_bytes();
  const v1::DevicePlan plan = PlanOn(job, least);
  EXPECT_EQ(plan.refusal(), "");
  EXPECT_GT(plan.cut_points_size(), 0);
  EXPECT_LE(plan.backward_bytes(), least);
  EXPECT_GT(plan.promoted().parameters(), 0);
  EXPECT_GT(plan.promoted_with_device_updates().optimizer_state(), 0);
  EXPECT_THAT(PlanOn(job, least / 2).refusal(),
              HasSubstr("a layer alone needs a device of about"));
}

TEST(JobPlanTest, TheLeastPoolAdmitsTheJobAndASmallerOneDoesNot) {
  const v1::DevicePlan plan = PlanOn(SmallJob(1), kPlenty);
  const auto fits = [&](int64_t pool_bytes) {
    return Admission(pool_bytes / 10 * 9, /*workers=*/1, /*lookahead=*/1)
        .CanEverFit(plan.pool_demand())
        .ok();
  };
  EXPECT_TRUE(fits(plan.least_pool_bytes()));
  EXPECT_FALSE(fits(plan.least_pool_bytes() - 10));
}

TEST(JobPlanTest, CutPointsOfTheJobsOwnAreTaken) {
  NewJob job = SmallJob(1);
  job.spec.mutable_partition()->add_cut_points(2);
  EXPECT_THAT(PlanOn(job, kPlenty).cut_points(), testing::ElementsAre(2));
  EXPECT_THAT(PlanOn(job, 1000).refusal(),
              HasSubstr("with the given cut points"));
}

TEST(JobPlanTest, ThatCodesOwnNeedIsNotKnownIsSaid) {
  NewJob job = SmallJob(1);
  EXPECT_THAT(PlanWarnings(job), testing::IsEmpty());
  ModelTable table = *job.table;
  table.layers[1].file.emplace();
  job.table = std::move(table);
  job.spec.mutable_model()->set_path("/my/chain");
  EXPECT_THAT(PlanWarnings(job),
              testing::ElementsAre(testing::AllOf(
                  HasSubstr("/my/chain: "), HasSubstr("pilot measures"))));
}

// Half of a parameter's bytes come; a whole gradient goes, and stays beside
// moments and masters.
TEST(JobPlanTest, MastersAreReckonedWith) {
  NewJob job = SmallJob(1);
  const v1::DevicePlan plain = PlanOn(job, kPlenty);
  job.table = WithTrainedType(*job.table, ElementType::kBFloat16);
  const int64_t parameters = job.table->ParameterBytes();
  const v1::DevicePlan plan = PlanOn(job, kPlenty);
  EXPECT_EQ(plan.promoted().parameters(), parameters);
  EXPECT_LT(plan.promoted().parameters(), plain.promoted().parameters());
  EXPECT_EQ(plan.pool_demand().committed_bytes() -
                plan.promoted_with_device_updates().optimizer_state(),
            parameters);
  EXPECT_EQ(
      plan.promoted_with_device_updates().optimizer_state() % (2 * parameters),
      0);
  EXPECT_GT(plan.promoted_with_device_updates().optimizer_state(), 0);
}

TEST(JobPlanTest, WhatIsFrozenIsCountedApart) {
  NewJob job = SmallJob(1);
  const v1::JobPlan all = PlanJob(job, {});
  EXPECT_EQ(all.trained_count(), all.parameter_count());
  ModelTable table = *job.table;
  for (ParameterBlock& block : table.parameter_blocks) {
    block.frozen = block.owner() < 2;
  }
  job.table = std::move(table);
  EXPECT_LT(PlanJob(job, {}).trained_count(), all.trained_count());
  const v1::PoolDemand demand = PlanOn(job, kPlenty).pool_demand();
  EXPECT_GT(demand.base_bytes(), 0);
  EXPECT_LT(demand.total_bytes(),
            PlanOn(SmallJob(1), kPlenty).pool_demand().total_bytes());
}

// Of rows of 16 numbers a third of the bytes is left, of longer ones a quarter.
TEST(JobPlanTest, ABaseOfInt8TakesLessOfThePoolAndOfTheLink) {
  NewJob job = SmallJob(1);
  ModelTable table = *job.table;
  for (ParameterBlock& block : table.parameter_blocks) {
    block.frozen = block.owner() < 2;
  }
  job.table = table;
  const v1::DevicePlan wide = PlanOn(job, kPlenty);
  job.table = WithFrozenType(std::move(table), ElementType::kInt8);
  const v1::DevicePlan plan = PlanOn(job, kPlenty);
  EXPECT_EQ(plan.pool_demand().base_bytes(),
            job.table->ParameterBytes() - job.table->TrainedBytes());
  EXPECT_LT(plan.pool_demand().base_bytes(),
            wide.pool_demand().base_bytes() / 2);
  EXPECT_LT(plan.promoted().parameters(), wide.promoted().parameters());
  EXPECT_EQ(plan.pool_demand().committed_bytes(),
            wide.pool_demand().committed_bytes());
}

}  // namespace
}  // namespace hydra
