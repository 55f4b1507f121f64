#include "scheduler/core/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::HasSubstr;

const Job& JobIn(World& world, uint64_t id) {
  return *world.core().FindJob(JobId(id));
}

bool Training(const Job& job) {
  return job.phase == v1::JOB_PHASE_TRAIN && !job.outstanding.empty();
}

TEST(CoreTest, ARepeatedRequestIdQueuesNothingMore) {
  World world({});
  std::vector<NewJob> jobs(2, World::SmallJob(1));
  const SweepId first = *world.core().Submit(jobs, "once", world.now());
  EXPECT_EQ(*world.core().Submit(jobs, "once", world.now()), first);
  EXPECT_EQ(world.core().Sweeps().size(), 1);
  EXPECT_NE(*world.core().Submit(jobs, "twice", world.now()), first);
}

TEST(CoreTest, AJobThatCanNeverFitIsRefusedWithTheNumbers) {
  World::Options options;
  options.pool_bytes = 4096;
  World world(options);
  const absl::StatusOr<SweepId> sweep =
      world.core().Submit({World::SmallJob(1)}, "", world.now());
  EXPECT_EQ(sweep.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(sweep.status().message()),
              HasSubstr("which can promise 3681"));
  EXPECT_TRUE(world.core().Sweeps().empty());
}

TEST(CoreTest, AJobWaitsForThePoolWithAReasonAndThenRuns) {
  World::Options options;
  options.pool_bytes = int64_t{300} << 10;
  World world(options);
  world.Submit(/*jobs=*/2, /*steps=*/2);
  world.RunUntil([&] {
    return JobIn(world, 2).phase == v1::JOB_PHASE_ADMISSION &&
           JobIn(world, 2).state == v1::JOB_STATE_PENDING;
  });
  EXPECT_THAT(JobIn(world, 2).reason, HasSubstr("waits for room in the pool"));
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 2).state, v1::JOB_STATE_COMPLETED);
}

TEST(CoreTest, EqualJobsPrepareAndPilotOnce) {
  World world({});
  world.Submit(/*jobs=*/3, /*steps=*/1);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).partition->source(), "pilot");
  EXPECT_EQ(JobIn(world, 2).partition->source(), "reused");
  EXPECT_EQ(JobIn(world, 1).totals.tasks(), JobIn(world, 3).totals.tasks() + 2);
}

TEST(CoreTest, CancellingATrainingJobFreesAllOfIt) {
  World world({});
  world.Submit(/*jobs=*/2, /*steps=*/1000);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  EXPECT_TRUE(world.core().Cancel(JobId(1), world.now()));
  EXPECT_FALSE(world.core().Cancel(JobId(1), world.now()));
  EXPECT_TRUE(world.core().Cancel(JobId(2), world.now()));
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(world.core().pool_used_bytes(), 0);
  EXPECT_EQ(world.core().pool_reserved_bytes(), 0);
}

TEST(CoreTest, AWorkersDeathRunsItsTasksAgain) {
  World world({});
  world.Submit(/*jobs=*/3, /*steps=*/4);
  world.RunUntil([&] { return JobIn(world, 1).position.step == 1; });
  world.Crash(0);
  world.RunUntilJobsEnd();
  for (uint64_t id : {1, 2, 3}) {
    EXPECT_EQ(JobIn(world, id).state, v1::JOB_STATE_COMPLETED);
    EXPECT_EQ(JobIn(world, id).steps.size(), 4);
  }
}

TEST(CoreTest, AJobThatKeepsKillingWorkersIsPoison) {
  World::Options options;
  options.poison_crashes = 3;
  options.crash = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_FAILED);
  EXPECT_THAT(JobIn(world, 1).reason, HasSubstr("POISON"));
}

TEST(CoreTest, AWorkerThatFallsSilentIsKilledAndItsJobsGoOn) {
  World::Options options;
  options.workers = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/3);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  world.core().Tick(world.now() + absl::Seconds(10));
  EXPECT_EQ(world.core().Workers(world.now())[0].restarts(), 0);
  world.core().Tick(world.now() + absl::Minutes(1));
  world.RunUntilJobsEnd();
  EXPECT_EQ(world.core().Workers(world.now())[0].restarts(), 1);
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_COMPLETED);
}

TEST(CoreTest, NothingIsAcceptedOnceWorkersShallStop) {
  World world({});
  world.core().StopWorkers();
  EXPECT_EQ(world.core()
                .Submit({World::SmallJob(1)}, "", world.now())
                .status()
                .code(),
            absl::StatusCode::kUnavailable);
}

TEST(CoreTest, AnIdleWorkerTakesAPromiseFromABusyOne) {
  World::Options options;
  options.workers = 2;
  options.lookahead = 3;
  World world(options);
  world.Crash(1);
  // While the second worker is away, the first is promised all three.
  world.Submit(/*jobs=*/3, /*steps=*/50);
  world.RunUntilJobsEnd();
  EXPECT_GT(absl::FDivDuration(world.busy(1), world.busy(0)), 0.7);
}

}  // namespace
}  // namespace hydra
