#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "scheduler/core/checkpoints.h"
#include "scheduler/core/core.h"
#include "scheduler/core/testing/world_jobs.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Of the only device, which holds a task of ten minutes.
class LongTaskTest : public ::testing::Test {
 protected:
  LongTaskTest() : world_(OneWorker()) {
    world_.Submit(/*jobs=*/1, /*steps=*/1);
    world_.RunUntil([&] {
      const Job& job = JobIn(world_, 1);
      return !job.outstanding.empty() && job.outstanding.front().begun;
    });
  }
  static World::Options OneWorker() {
    World::Options options;
    options.workers = 1;
    options.long_task = 1;
    return options;
  }
  absl::Duration TimeUntil(const std::function<bool()>& done) {
    const absl::Time begin = world_.now();
    world_.RunUntil(done);
    return world_.now() - begin;
  }

  World world_;
};

TEST_F(LongTaskTest, ACancelledJobsTaskIsBrokenOff) {
  world_.InCore(
      [&](Core& core) { core.Cancel({JobId(1)}, false, world_.now()); });
  EXPECT_LT(TimeUntil([&] { return world_.AllJobsEnded(); }), absl::Seconds(1));
  EXPECT_EQ(Restarts(world_), 0);
}

TEST_F(LongTaskTest, APausedJobsPreparationIsBrokenOffAndBeginsAgain) {
  world_.InCore([&](Core& core) { core.Pause({JobId(1)}, world_.now()); });
  EXPECT_LT(TimeUntil([&] {
              return JobIn(world_, 1).state() == v1::JOB_STATE_PAUSED;
            }),
            absl::Seconds(1));
  world_.InCore([&](Core& core) { core.Resume({JobId(1)}, world_.now()); });
  world_.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world_, 1).state(), v1::JOB_STATE_COMPLETED);
}

TEST_F(LongTaskTest, AStoppingDaemonDoesNotWaitForAPreparation) {
  world_.InCore([&](Core& core) { core.Park(); });
  EXPECT_LT(TimeUntil([&] { return world_.core().parked(); }),
            absl::Seconds(1));
  EXPECT_TRUE(AllSaved(world_.core().jobs()));
}

TEST_F(LongTaskTest, AWorkerThatDoesNotStopIsWaitedFor) {
  world_.setup().stops_when_told = false;
  world_.InCore(
      [&](Core& core) { core.Cancel({JobId(1)}, false, world_.now()); });
  EXPECT_GT(TimeUntil([&] { return world_.AllJobsEnded(); }), absl::Minutes(9));
  EXPECT_EQ(JobIn(world_, 1).state(), v1::JOB_STATE_CANCELLED);
}

TEST(CorePauseTest, APausedJobHoldsNothingAndGoesOnWhereItWas) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/5);
  world.RunUntil([&] { return JobIn(world, 1).position.step == 3; });
  world.InCore([&](Core& core) {
    EXPECT_THAT(core.Pause({JobId(1)}, world.now()), SizeIs(1));
    EXPECT_THAT(core.Pause({JobId(1)}, world.now()), IsEmpty());
  });
  world.RunUntil(
      [&] { return JobIn(world, 1).state() == v1::JOB_STATE_PAUSED; });
  EXPECT_EQ(world.core().pool().used_bytes, 0);
  EXPECT_EQ(world.core().pool().reserved_bytes, 0);
  const int64_t step = JobIn(world, 1).position.step;
  EXPECT_GE(step, 3);
  world.InCore([&](Core& core) {
    EXPECT_THAT(core.Resume({JobId(1)}, world.now()), SizeIs(1));
    EXPECT_THAT(core.Resume({JobId(1)}, world.now()), IsEmpty());
  });
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  EXPECT_EQ(JobIn(world, 1).position.step, step);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).steps.size(), 5);
}

TEST(CorePauseTest, APausedJobStaysPausedOverARestart) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/5);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  world.InCore([&](Core& core) { core.Pause({JobId(1)}, world.now()); });
  world.RunUntil(
      [&] { return JobIn(world, 1).state() == v1::JOB_STATE_PAUSED; });
  for (int restart = 0; restart < 2; ++restart) {
    world.CrashDaemon();
    const absl::Time later = world.now() + absl::Minutes(5);
    world.RunUntil([&] { return world.now() > later; });
    EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_PAUSED);
  }
}

TEST(CorePauseTest, AnAcknowledgedPauseSurvivesARestart) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/5);
  world.RunUntil([&] { return JobIn(world, 1).position.inside_step(); });
  world.InCore([&](Core& core) {
    EXPECT_THAT(core.Pause({JobId(1)}, world.now()), SizeIs(1));
  });
  world.CrashDaemon();
  world.RunUntil(
      [&] { return JobIn(world, 1).state() == v1::JOB_STATE_PAUSED; });
  EXPECT_EQ(JobIn(world, 1).position.step, 1);
}

// The world checks that no evaluation is missing or there twice.
TEST(CorePauseTest, APauseBetweenTheLastEvaluationsLosesNeither) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/2);
  world.RunUntil(
      [&] { return JobIn(world, 1).position.split == worker::v1::SPLIT_TEST; });
  world.InCore([&](Core& core) { core.Pause({JobId(1)}, world.now()); });
  world.RunUntil(
      [&] { return JobIn(world, 1).state() == v1::JOB_STATE_PAUSED; });
  EXPECT_EQ(JobIn(world, 1).evaluations->size(), 1);
  world.CutPower();
  world.RunUntil([] { return true; });
  world.InCore([&](Core& core) { core.Resume({JobId(1)}, world.now()); });
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).evaluations->size(), 2);
}

}  // namespace
}  // namespace hydra
