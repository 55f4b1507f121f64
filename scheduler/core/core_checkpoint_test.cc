#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "scheduler/core/checkpoints.h"
#include "scheduler/core/core.h"
#include "scheduler/core/testing/world_jobs.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::HasSubstr;

// A place inside a step, after a TURN or before it.
void ParkInsideAStep(World& world, bool turned) {
  world.Submit(/*jobs=*/1, /*steps=*/9);
  world.RunUntil([&] {
    const Job& job = JobIn(world, 1);
    const int turn = job.shape.shard_count() - 1;
    return job.position.step == 5 && job.position.inside_step() &&
           (turned ? job.position.task == turn + 1
                   : job.position.task == turn - 1);
  });
  world.InCore([&](Core& core) { core.Park(); });
  world.RunUntil([&] { return world.core().parked(); });
  ASSERT_TRUE(JobIn(world, 1).checkpoints->back().info().inside_step());
}

TEST(CoreCheckpointTest, AStepThatUpdatedNothingBeginsAgainInAnotherPartition) {
  World world({});
  ParkInsideAStep(world, /*turned=*/false);
  world.setup().layers_per_shard = 2;
  world.CutPower();
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  EXPECT_EQ(JobIn(world, 1).position.step, 5);
  EXPECT_EQ(JobIn(world, 1).position.task, 0);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).steps.size(), 9);
}

TEST(CoreCheckpointTest, AStepThatUpdatedSomeGoesOnInItsPartition) {
  World world({});
  ParkInsideAStep(world, /*turned=*/true);
  world.CutPower();
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  EXPECT_EQ(JobIn(world, 1).position.step, 5);
  EXPECT_GT(JobIn(world, 1).position.task, 0);
}

TEST(CoreCheckpointTest, AStepThatUpdatedSomeIsLeftInAnotherPartition) {
  World world({});
  ParkInsideAStep(world, /*turned=*/true);
  world.setup().layers_per_shard = 2;
  world.CutPower();
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  // The checkpoint before.
  EXPECT_EQ(JobIn(world, 1).position.step, 4);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).steps.size(), 9);
}

// The sums of the rounds before are in its checkpoint, and what they lost. The
// world compares the step's loss with that of the job that nobody disturbed.
TEST(CoreCheckpointTest, AStepGoesOnBetweenItsRounds) {
  World::Options options;
  options.micro_batches = 5;
  options.micro_batches_per_round = 2;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/9);
  world.RunUntilJobsEnd();
  world.Submit(/*jobs=*/1, /*steps=*/9);
  const auto round = [&world] {
    const Job& job = JobIn(world, 2);
    return job.position.task / TasksPerRound(job.shape);
  };
  world.RunUntil(
      [&] { return JobIn(world, 2).position.step == 5 && round() == 1; });
  world.InCore([&](Core& core) { core.Park(); });
  world.RunUntil([&] { return world.core().parked(); });
  const ChainPosition parked = JobIn(world, 2).position;
  ASSERT_EQ(parked.step, 5);
  ASSERT_EQ(round(), 1);
  world.CutPower();
  world.RunUntil([&] { return Training(JobIn(world, 2)); });
  EXPECT_EQ(JobIn(world, 2).position.task, parked.task);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 2).steps.size(), 9);
}

TEST(CoreCheckpointTest, AJobWhoseCheckpointCannotBeReadWaitsForItsUser) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/9);
  world.RunUntil([&] { return JobIn(world, 1).position.step == 5; });
  world.MakeCheckpointsReadable(false);
  world.CutPower();
  world.RunUntil(
      [&] { return JobIn(world, 1).state() == v1::JOB_STATE_PAUSED; });
  EXPECT_THAT(JobIn(world, 1).reason, HasSubstr("cannot be read"));
  EXPECT_EQ(world.core().pool().reserved_bytes, 0);
  world.MakeCheckpointsReadable(true);
  world.InCore([&](Core& core) { core.Resume({JobId(1)}, world.now()); });
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  EXPECT_GE(JobIn(world, 1).position.step, 2);
}

TEST(CoreCheckpointTest, AJobWhoseDataHasChangedWaitsForItsUser) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/9);
  world.RunUntil([&] { return JobIn(world, 1).position.step == 5; });
  world.setup().token_file = "/cache/another.tokens";
  world.CutPower();
  world.RunUntil(
      [&] { return JobIn(world, 1).state() == v1::JOB_STATE_PAUSED; });
  EXPECT_THAT(JobIn(world, 1).reason, HasSubstr("train has 200 tokens"));
  world.InCore([&](Core& core) { core.Resume({JobId(1)}, world.now()); });
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_COMPLETED);
}

// The writer is never free for long: the short jobs alone keep it busy.
TEST(CoreCheckpointTest, AJobOfLongStepsIsSavedBesideManyOfShortOnes) {
  World::Options options;
  options.checkpoint_minutes = 1;
  options.block_time = absl::Seconds(8);
  World world(options);
  constexpr uint64_t kJobs = 7;
  for (uint64_t id = 1; id <= kJobs; ++id) {
    world.setup().task_time[id] = absl::Seconds(id == 1 ? 40 : 1);
  }
  // The one with the most steps is always on a device.
  world.Submit(/*jobs=*/1, /*steps=*/10'000);
  world.Submit(/*jobs=*/kJobs - 1, /*steps=*/5'000);
  world.RunUntil([&] { return JobIn(world, 1).position.step == 1; });
  const absl::Time begin = world.now();
  const absl::Duration busy = world.busy(0) + world.busy(1);
  absl::Duration longest;
  world.RunUntil([&] {
    longest = std::max(longest, world.now() - JobIn(world, 1).checkpointed_at);
    return JobIn(world, 1).position.step == 13;
  });
  // It misses none: from one end of a step to the next there are seven tasks
  // and, every other time, twelve of an evaluation; then a few are written
  // before.
  EXPECT_LT(longest, absl::Seconds((7 + 12) * 40 + 200));
  // The others go on meanwhile.
  EXPECT_GT(absl::FDivDuration(world.busy(0) + world.busy(1) - busy,
                               world.now() - begin),
            1.6);
}

TEST(CoreCheckpointTest, ADiskThatStandsStillStopsNoTraining) {
  World::Options options;
  options.checkpoint_minutes = 1;
  options.block_time = absl::Hours(2);
  World world(options);
  for (uint64_t id : {1, 2}) world.setup().task_time[id] = absl::Seconds(40);
  world.Submit(/*jobs=*/2, /*steps=*/1000);
  world.RunUntil([&] {
    return JobIn(world, 1).position.step >= 10 &&
           JobIn(world, 2).position.step >= 10;
  });
  // A step takes some five minutes, and one job waited for ten.
  EXPECT_LT(world.now() - absl::UnixEpoch(), absl::Hours(2));
  EXPECT_EQ(world.checkpoints_written(), 0);
}

TEST(CoreCheckpointTest, ParkingSavesEveryJobAtAShardsEdge) {
  World world({});
  world.Submit(/*jobs=*/3, /*steps=*/50);
  world.RunUntil([&] { return JobIn(world, 2).position.inside_step(); });
  world.InCore([&](Core& core) { core.Park(); });
  world.RunUntil([&] { return world.core().parked(); });
  EXPECT_TRUE(AllSaved(world.core().jobs()));
  bool inside_step = false;
  for (uint64_t id : {1, 2, 3}) {
    const Job& job = JobIn(world, id);
    EXPECT_TRUE(job.outstanding.empty());
    inside_step = inside_step || job.position.inside_step();
  }
  EXPECT_TRUE(inside_step);
  // The next daemon finds no pool.
  world.CutPower();
  world.RunUntilJobsEnd();
  for (uint64_t id : {1, 2, 3}) {
    EXPECT_EQ(JobIn(world, id).state(), v1::JOB_STATE_COMPLETED);
    EXPECT_EQ(JobIn(world, id).steps.size(), 50);
  }
}

TEST(CoreCheckpointTest, AJobThatIsCutAnewGoesOnFromWhereItWas) {
  World world({});
  world.setup().layers_per_shard = 2;
  world.Submit(/*jobs=*/1, /*steps=*/9);
  // After the checkpoint of step 4.
  world.RunUntil([&] { return JobIn(world, 1).position.step == 5; });
  world.setup().layers_in_device = 1;
  world.RunUntil([&] { return GoesBack(JobIn(world, 1).intent); });
  const int64_t step = JobIn(world, 1).position.step;
  const bool turned =
      JobIn(world, 1).position.task >= JobIn(world, 1).shape.shard_count();
  world.RunUntil([&] {
    return !GoesBack(JobIn(world, 1).intent) && Training(JobIn(world, 1));
  });
  EXPECT_EQ(JobIn(world, 1).position.step, turned ? 4 : step);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).steps.size(), 9);
}

}  // namespace
}  // namespace hydra
