#include "scheduler/sim/world.h"

#include <gtest/gtest.h>

#include "common/model/loss_scale.h"
#include "scheduler/sim/rough_world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

std::vector<const Job*> Jobs(World& world) {
  std::vector<const Job*> jobs;
  for (SweepId sweep : world.core().jobs().Sweeps()) {
    for (JobId id : world.core().jobs().JobsOf(sweep)) {
      jobs.push_back(world.core().jobs().Find(id));
    }
  }
  return jobs;
}

void ExpectAllFree(World& world) {
  // A checkpoint may outlast its job.
  world.RunUntil([&] { return world.core().pool().used_bytes == 0; });
  EXPECT_EQ(world.core().pool().reserved_bytes, 0);
}

void ExpectAllCompleted(World& world) {
  for (const Job* job : Jobs(world)) {
    EXPECT_EQ(job->state(), v1::JOB_STATE_COMPLETED)
        << JobName(job->id) << " " << job->reason;
    EXPECT_EQ(job->steps.back().step() + 1, job->plan.total_steps);
  }
  ExpectAllFree(world);
}

// What undisturbed training of so many steps makes.
uint64_t TrainedModel(int64_t steps, const World::Options& options = {}) {
  World world(options);
  world.Submit(1, steps);
  world.RunUntilJobsEnd();
  return world.trained().at(steps);
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
  options.daemon_crash = 0.01;
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

TEST(WorldTest, NothingIsLostWhateverBreaks) {
  const uint64_t trained[] = {0, TrainedModel(1), TrainedModel(2),
                              TrainedModel(3), TrainedModel(4)};
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    World world(RoughWorld(seed));
    const int64_t steps = 1 + seed % 4;
    world.Submit(1 + seed % 5, steps);
    world.RunUntilJobsEnd();
    ExpectAllCompleted(world);
    EXPECT_EQ(world.trained().at(steps), trained[steps]);
  }
}

TEST(WorldTest, AfterAPowerCutJobsGoOnFromTheirCheckpoints) {
  const uint64_t trained = TrainedModel(9);
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    World::Options options = RoughWorld(seed);
    options.power_cut = 0.003;
    options.checkpoint_damage = 0.1;
    World world(options);
    world.Submit(1 + seed % 3, 9);
    world.RunUntilJobsEnd();
    ExpectAllCompleted(world);
    EXPECT_EQ(world.trained().at(9), trained);
  }
}

TEST(WorldTest, NothingOfAStepIsLostWhereItsGradientsWaitForEachOther) {
  World::Options clips;
  clips.max_grad_norm = 1;
  const uint64_t trained = TrainedModel(5, clips);
  EXPECT_NE(trained, TrainedModel(5));
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    World::Options options = RoughWorld(seed);
    options.max_grad_norm = 1;
    if (seed % 2 == 0) {
      options.power_cut = 0.003;
      options.checkpoint_damage = 0.1;
    }
    World world(options);
    world.Submit(1 + seed % 3, 5);
    world.RunUntilJobsEnd();
    ExpectAllCompleted(world);
    EXPECT_EQ(world.trained().at(5), trained);
  }
}

// Its scale follows from the steps that overflowed before, whoever made them.
TEST(WorldTest, AScaledLossHasTheSameScalesWhateverBreaks) {
  constexpr int64_t kSteps = 7;
  World::Options scales;
  scales.fp16 = true;
  World undisturbed(scales);
  undisturbed.Submit(1, kSteps);
  undisturbed.RunUntilJobsEnd();
  ExpectAllCompleted(undisturbed);
  const Job& job = *Jobs(undisturbed).front();
  // Steps 1 and 5 overflow; 2 and 3 are two good ones in a row, and double the
  // scale again.
  EXPECT_EQ(job.loss_scale.skipped_steps(), 2);
  EXPECT_EQ(job.loss_scale.scale(), kFirstLossScale / 2);
  EXPECT_EQ(job.totals.nonfinite_steps(), 2);
  const uint64_t trained = undisturbed.trained().at(kSteps);
  scales.micro_batches_per_round = 1;
  const uint64_t trained_in_rounds = TrainedModel(kSteps, scales);
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    World::Options options = RoughWorld(seed);
    options.fp16 = true;
    options.micro_batches_per_round = 1 + seed % 2;
    if (seed % 3 == 0) {
      options.power_cut = 0.003;
      options.checkpoint_damage = 0.1;
    }
    World world(options);
    world.Submit(1 + seed % 3, kSteps);
    world.RunUntilJobsEnd();
    ExpectAllCompleted(world);
    EXPECT_EQ(world.trained().at(kSteps),
              seed % 2 == 1 ? trained : trained_in_rounds);
  }
}

// Between rounds, sums wait in the pool; inside of them, boundaries of some
// micro-batches.
TEST(WorldTest, NothingOfAStepInRoundsIsLostOrAddedTwice) {
  for (double max_grad_norm : {0, 1}) {
    World::Options rounds;
    rounds.max_grad_norm = max_grad_norm;
    rounds.micro_batches = 5;
    rounds.micro_batches_per_round = 2;
    const uint64_t trained = TrainedModel(5, rounds);
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      SCOPED_TRACE(seed);
      World::Options options = RoughWorld(seed);
      options.max_grad_norm = rounds.max_grad_norm;
      options.micro_batches = rounds.micro_batches;
      options.micro_batches_per_round = rounds.micro_batches_per_round;
      if (seed % 2 == 0) {
        options.power_cut = 0.003;
        options.checkpoint_damage = 0.1;
      }
      World world(options);
      world.Submit(1 + seed % 3, 5);
      world.RunUntilJobsEnd();
      ExpectAllCompleted(world);
      EXPECT_EQ(world.trained().at(5), trained);
    }
  }
}

TEST(WorldTest, UsersMayPauseResumeAndCancelAtAnyTime) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    World::Options options = RoughWorld(seed);
    options.meddling = 0.05;
    World world(options);
    world.setup().stops_when_told = seed % 2 == 0;
    world.Submit(1 + seed % 5, 5);
    world.RunUntilJobsEnd();
    ExpectAllFree(world);
  }
}

TEST(WorldTest, AFailureInTheUsersDataEndsItsJobAndNoOther) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    World::Options options = RoughWorld(seed);
    options.data_failure = 0.01;
    World world(options);
    world.Submit(6, 3);
    world.RunUntilJobsEnd();
    ExpectAllFree(world);
  }
}

TEST(WorldTest, FailuresThatPassEndNoJob) {
  const uint64_t trained = TrainedModel(4);
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    World::Options options = RoughWorld(seed);
    options.task_failure = 0.05;
    World world(options);
    world.setup().stops_when_told = seed % 2 == 0;
    world.Submit(1 + seed % 5, 4);
    world.RunUntilJobsEnd();
    ExpectAllCompleted(world);
    EXPECT_EQ(world.trained().at(4), trained);
  }
}

}  // namespace
}  // namespace hydra
