#include "scheduler/core/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "common/chain/testing/tiny_shape.h"
#include "common/model/factored_moments.h"
#include "common/model/model_table.h"
#include "common/model/trained_type.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

hydra::v1::PoolDemand Demand(int64_t total_bytes, int64_t write_bytes) {
  hydra::v1::PoolDemand demand;
  demand.set_total_bytes(total_bytes);
  demand.set_largest_write_bytes(write_bytes);
  return demand;
}

JobShape Shape(const std::vector<int>& cuts) {
  JobShape shape = TinyShape({/*vocabulary=*/100, /*width=*/16, /*blocks=*/2,
                              /*context=*/16},
                             cuts);
  shape.micro_batches = 3;
  return shape;
}

TEST(DemandOfTest, CountsStateBoundariesGradientsAndTheLargestWrite) {
  const JobShape shape = Shape({1, 3});
  const hydra::v1::PoolDemand demand = DemandOf(shape);
  EXPECT_EQ(demand.committed_bytes(), 3 * shape.table->ParameterBytes());
  // Two cuts, three micro-batches of 2 x 16 x 16 floats.
  EXPECT_EQ(demand.boundary_bytes(), 2 * 3 * 2 * 16 * 16 * 4);
  EXPECT_EQ(demand.gradient_bytes(), shape.ParameterBytes(0));
  // The middle shard: both blocks with their state, and gradients at one cut.
  EXPECT_EQ(demand.largest_write_bytes(),
            3 * (shape.ParameterBytes(2) + shape.ParameterBytes(3)) +
                3 * 2 * 16 * 16 * 4);
  EXPECT_EQ(demand.total_bytes(),
            demand.committed_bytes() + demand.boundary_bytes() +
                demand.gradient_bytes() + demand.largest_write_bytes());
}

TEST(DemandOfTest, CountsAllGradientsWhereTheyWaitForTheirNorm) {
  JobShape shape = Shape({1, 3});
  shape.clips_gradients = true;
  int64_t gradients = 0;
  for (int block = 0; block < shape.table->parameter_blocks.size(); ++block) {
    gradients += shape.ParameterBytes(block) + 64;
  }
  const hydra::v1::PoolDemand demand = DemandOf(shape);
  EXPECT_EQ(demand.gradient_bytes(), gradients)
      << "the tied one's parts are one block, one after the other";
  EXPECT_GE(demand.total_bytes(), LeastDemandOf(shape).total_bytes());
  EXPECT_GT(LeastDemandOf(shape).total_bytes(),
            LeastDemandOf(Shape({1, 3})).total_bytes());
}

TEST(DemandOfTest, FactoredMomentsAreCountedByTheBlocksTensors) {
  JobShape shape = Shape({1, 3});
  shape.state_factor = 0;
  shape.factors_moments = true;
  const ModelTable& table = *shape.table;
  int64_t state = 0;
  for (const ParameterBlock& block : table.parameter_blocks) {
    state += FactoredStateBytes(block);
  }
  ASSERT_LT(state, table.ParameterBytes());
  const hydra::v1::PoolDemand demand = DemandOf(shape);
  EXPECT_EQ(demand.committed_bytes(), table.ParameterBytes() + state);
  // All wait for their UPDATE.
  EXPECT_GE(demand.gradient_bytes(), table.ParameterBytes());
  EXPECT_GE(demand.total_bytes(), LeastDemandOf(shape).total_bytes());
  EXPECT_EQ(LeastDemandOf(shape).committed_bytes(), demand.committed_bytes());
}

TEST(DemandOfTest, CountsMastersAsState) {
  JobShape shape = Shape({1, 3});
  shape.table = WithTrainedType(*shape.table, ElementType::kBFloat16);
  shape.clips_gradients = true;
  const int64_t parameters = shape.table->ParameterBytes();
  const hydra::v1::PoolDemand demand = DemandOf(shape);
  // Two bytes, and two moments and a master of four.
  EXPECT_EQ(demand.committed_bytes(), (1 + 3 * 2) * parameters);
  EXPECT_EQ(demand.gradient_bytes(),
            2 * parameters + 64 * static_cast<int64_t>(
                                      shape.table->parameter_blocks.size()));
  const hydra::v1::PoolDemand least = LeastDemandOf(shape);
  EXPECT_EQ(least.committed_bytes(), demand.committed_bytes());
  EXPECT_EQ(least.gradient_bytes(), 2 * parameters);
  EXPECT_LE(least.total_bytes(), demand.total_bytes());
  // Without moments there is a master all the same.
  shape.state_factor = 0;
  EXPECT_EQ(DemandOf(shape).committed_bytes(), 3 * parameters);
}

TEST(DemandOfTest, OneShardHasNoBoundariesAndNoCrossingGradients) {
  const hydra::v1::PoolDemand demand = DemandOf(Shape({}));
  EXPECT_EQ(demand.boundary_bytes(), 0);
  EXPECT_EQ(demand.gradient_bytes(), 0);
}

TEST(DemandOfTest, TheLeastDemandIsBelowEveryPartitions) {
  for (const std::vector<int>& cuts :
       {std::vector<int>{}, {1}, {2}, {3}, {1, 2}, {1, 2, 3}}) {
    EXPECT_LE(LeastDemandOf(Shape(cuts)).total_bytes(),
              DemandOf(Shape(cuts)).total_bytes());
  }
}

// All that the workers' hands may write at once, over what the jobs' demands
// have room for: by trying every way to fill the hands. `writes`: by job, the
// bytes of its largest write.
int64_t MostLookahead(const std::vector<int64_t>& writes, int workers,
                      int lookahead) {
  // Each job is in one hand, or in none: `hand_of` counts through all ways.
  int64_t most = 0;
  std::vector<int> hand_of(writes.size(), -1);
  while (true) {
    int64_t bytes = 0;
    for (int worker = 0; worker < workers; ++worker) {
      // One task of each job in the hand has its room; the places left are for
      // more tasks of the one that writes most.
      int jobs = 0;
      int64_t largest = 0;
      for (size_t job = 0; job < writes.size(); ++job) {
        if (hand_of[job] != worker) continue;
        ++jobs;
        largest = std::max(largest, writes[job]);
      }
      bytes += std::max(0, 1 + lookahead - jobs) * largest;
    }
    most = std::max(most, bytes);
    size_t job = 0;
    while (job < writes.size() && ++hand_of[job] == workers)
      hand_of[job++] = -1;
    if (job == writes.size()) return most;
  }
}

TEST(AdmissionTest, KeepsRoomForTheLookaheadOfEveryWayToFillTheHands) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const int workers = 1 + random() % 4;
    const int lookahead = random() % 3;
    Admission admission(1'000'000, workers, lookahead);
    std::vector<int64_t> writes;
    int64_t demands = 0;
    for (uint64_t job = 1; job <= 5; ++job) {
      writes.push_back(1 + random() % 100);
      demands += 1000;
      ASSERT_TRUE(
          admission
              .Admit(JobId(job), Demand(1000, writes.back()), /*base=*/"", 0)
              .ok());
      EXPECT_EQ(admission.reserved_bytes(),
                demands + MostLookahead(writes, workers, lookahead));
    }
    while (!writes.empty()) {
      admission.Release(JobId(writes.size()));
      writes.pop_back();
      demands -= 1000;
      EXPECT_EQ(admission.reserved_bytes(),
                demands + MostLookahead(writes, workers, lookahead));
    }
  }
}

TEST(AdmissionTest, OneJobNeedsTheLookaheadOfOneWorker) {
  Admission admission(/*pool_bytes=*/1000, /*workers=*/64, /*lookahead=*/1);
  EXPECT_TRUE(admission.CanEverFit(Demand(900, 100)).ok());
  const absl::Status never = admission.CanEverFit(Demand(901, 100));
  EXPECT_EQ(never.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(never.message()), HasSubstr("needs 1001 bytes"));
}

TEST(AdmissionTest, AJobWaitsUntilAnotherIsReleased) {
  Admission admission(1000, 1, 1);
  ASSERT_TRUE(admission.Admit(JobId(1), Demand(600, 50), /*base=*/"", 0).ok());
  const absl::Status waits =
      admission.Admit(JobId(2), Demand(400, 50), /*base=*/"", 0);
  EXPECT_THAT(std::string(waits.message()),
              HasSubstr("needs 400 bytes, 350 of 1000"));
  EXPECT_TRUE(admission.Admit(JobId(3), Demand(350, 50), /*base=*/"", 0).ok());
  EXPECT_EQ(admission.reserved_bytes(), 1000);
  admission.Release(JobId(1));
  EXPECT_TRUE(admission.Admit(JobId(2), Demand(400, 50), /*base=*/"", 0).ok());
}

TEST(AdmissionTest, TheLookaheadGrowsWithTheLargestWriters) {
  Admission admission(1000, 2, 1);
  ASSERT_TRUE(admission.Admit(JobId(1), Demand(500, 10), /*base=*/"", 0).ok());
  // 500 + 300 + 10 + 191 is over.
  EXPECT_FALSE(
      admission.Admit(JobId(2), Demand(300, 191), /*base=*/"", 0).ok());
  EXPECT_TRUE(admission.Admit(JobId(2), Demand(300, 190), /*base=*/"", 0).ok());
}

TEST(AdmissionTest, ABaseOfSeveralJobsCountsOnce) {
  Admission admission(1000, 0, 0);
  hydra::v1::PoolDemand demand = Demand(600, 0);
  demand.set_base_bytes(500);
  EXPECT_TRUE(admission.Admit(JobId(1), demand, "base", 0).ok());
  EXPECT_FALSE(admission.Admit(JobId(2), demand, "another", 0).ok());
  EXPECT_FALSE(admission.Admit(JobId(2), demand, "", 0).ok());
  for (uint64_t job : {2, 3, 4, 5}) {
    EXPECT_TRUE(admission.Admit(JobId(job), demand, "base", 0).ok());
  }
  EXPECT_EQ(admission.reserved_bytes(), 1000);
  EXPECT_FALSE(admission.Admit(JobId(6), demand, "base", 0).ok());
  for (uint64_t job : {1, 2, 3, 4}) admission.Release(JobId(job));
  EXPECT_EQ(admission.reserved_bytes(), 600) << "the last one still has it";
  admission.Release(JobId(5));
  EXPECT_EQ(admission.reserved_bytes(), 0);
}

TEST(AdmissionTest, WhatCheckpointsHoldIsNotPromised) {
  Admission admission(1000, 0, 0);
  EXPECT_FALSE(
      admission.Admit(JobId(1), Demand(900, 50), /*base=*/"", 101).ok());
  EXPECT_TRUE(
      admission.Admit(JobId(1), Demand(900, 50), /*base=*/"", 100).ok());
  EXPECT_EQ(admission.spare_bytes(), 100);
}

}  // namespace
}  // namespace hydra
