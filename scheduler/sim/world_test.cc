#include "scheduler/sim/world.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

void ExpectAllCompleted(World& world) {
  for (SweepId sweep : world.core().Sweeps()) {
    for (JobId id : world.core().JobsOf(sweep)) {
      const Job& job = *world.core().FindJob(id);
      EXPECT_EQ(job.state, hydra::v1::JOB_STATE_COMPLETED)
          << JobName(id) << " " << job.reason;
      EXPECT_EQ(job.steps.size(), job.plan.total_steps);
    }
  }
  EXPECT_EQ(world.core().pool_used_bytes(), 0);
  EXPECT_EQ(world.core().pool_reserved_bytes(), 0);
  EXPECT_EQ(world.journal().open_tasks(), 0);
}

TEST(WorldTest, JobsOnSeveralWorkersComplete) {
  World world({});
  world.Submit(/*jobs=*/5, /*steps=*/3);
  world.RunUntilJobsEnd();
  ExpectAllCompleted(world);
  EXPECT_EQ(world.saves(), 5);
}

TEST(WorldTest, OneSeedGivesOneCourse) {
  World::Options options;
  options.seed = 7;
  options.crash = 0.02;
  World a(options);
  World b(options);
  for (World* world : {&a, &b}) {
    world->Submit(4, 3);
    world->RunUntilJobsEnd();
  }
  EXPECT_EQ(a.now(), b.now());
  EXPECT_EQ(a.events(), b.events());
}

TEST(WorldTest, BothDevicesStayBusyWhileThereAreJobs) {
  World world({});
  world.Submit(6, 10);
  world.RunUntilJobsEnd();
  const absl::Duration elapsed = world.now() - absl::UnixEpoch();
  EXPECT_GT(absl::FDivDuration(world.busy(0), elapsed), 0.85);
  EXPECT_GT(absl::FDivDuration(world.busy(1), elapsed), 0.85);
}

// Many courses of crashes, broken streams, and messages that come twice or out
// of order.
TEST(WorldTest, NothingIsLostWhateverBreaks) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    World::Options options;
    options.seed = seed;
    options.workers = 1 + seed % 4;
    options.lookahead = seed % 3;
    options.crash = 0.03;
    options.stream_break = 0.05;
    options.duplicate = 0.2;
    // Room for one to all of the jobs.
    options.pool_bytes = (int64_t{300} << 10) << (seed % 4);
    World world(options);
    world.Submit(1 + seed % 5, 1 + seed % 4);
    world.RunUntilJobsEnd();
    ASSERT_TRUE(world.AllJobsEnded());
    ExpectAllCompleted(world);
  }
}

TEST(WorldTest, AFailedTaskEndsItsJobAndNoOther) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    World::Options options;
    options.seed = seed;
    options.task_failure = 0.01;
    options.crash = 0.02;
    options.lookahead = 2;
    World world(options);
    world.Submit(6, 3);
    world.RunUntilJobsEnd();
    ASSERT_TRUE(world.AllJobsEnded());
    EXPECT_EQ(world.core().pool_used_bytes(), 0);
    EXPECT_EQ(world.core().pool_reserved_bytes(), 0);
    EXPECT_EQ(world.journal().open_tasks(), 0);
  }
}

}  // namespace
}  // namespace hydra
