// Jobs that stop early, in a simulated world: contents, and so losses, follow
// from the steps alone, and a job must stop where it would if nothing broke.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "scheduler/core/core.h"
#include "scheduler/core/testing/world_jobs.h"
#include "scheduler/sim/rough_world.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::StartsWith;

constexpr int64_t kSteps = 40;

World::Options Patient(World::Options options) {
  options.early_stopping_patience = 2;
  return options;
}

void ExpectStoppedAt(int64_t step, const Job& job) {
  EXPECT_EQ(job.state(), v1::JOB_STATE_COMPLETED) << job.reason;
  EXPECT_EQ(job.steps.back().step() + 1, step);
  EXPECT_EQ(job.evaluations->back().step(), step);
  EXPECT_EQ(job.evaluations->back().split(), "test");
  EXPECT_THAT(job.reason,
              StartsWith(absl::StrCat("stopped after step ", step, ": ")));
  const v1::JobStatus status = StatusOf(job);
  EXPECT_EQ(status.step(), step);
  EXPECT_EQ(status.total_steps(), kSteps);
}

// Where nothing breaks, and what is trained then.
struct Undisturbed {
  int64_t step = 0;
  uint64_t model = 0;
};

Undisturbed Course() {
  World world(Patient({}));
  world.Submit(/*jobs=*/1, kSteps);
  world.RunUntilJobsEnd();
  const int64_t step = JobIn(world, 1).position.step;
  // There is something to stop, and not before the patience is over.
  EXPECT_GE(step, 6);
  EXPECT_LT(step, kSteps);
  ExpectStoppedAt(step, JobIn(world, 1));
  return {step, world.trained().at(kSteps)};
}

TEST(CoreEarlyStoppingTest, JobsStopAtTheSameStepWhateverBreaks) {
  const Undisturbed course = Course();
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    World::Options options = Patient(RoughWorld(seed));
    if (seed % 2 == 0) {
      options.power_cut = 0.003;
      options.checkpoint_damage = 0.1;
    }
    World world(options);
    const int jobs = 1 + seed % 3;
    world.Submit(jobs, kSteps);
    world.RunUntilJobsEnd();
    for (int job = 1; job <= jobs; ++job) {
      ExpectStoppedAt(course.step, JobIn(world, job));
    }
    EXPECT_EQ(world.trained().at(kSteps), course.model);
  }
}

TEST(CoreEarlyStoppingTest, NothingIsHandedOutThatMayNotBeNeeded) {
  World::Options options = Patient({});
  options.lookahead = 2;
  options.workers = 1;
  World world(options);
  world.Submit(/*jobs=*/1, kSteps);
  int64_t last_trained = 0;
  world.RunUntil([&] {
    const Job& job = JobIn(world, 1);
    for (const OutstandingTask& task : job.outstanding) {
      if (!task.position.has_value() ||
          task.position->phase != ChainPosition::Phase::kTrain) {
        continue;
      }
      last_trained = std::max(last_trained, task.position->step);
    }
    return job.ended();
  });
  EXPECT_EQ(last_trained, Course().step - 1);
}

TEST(CoreEarlyStoppingTest, AJobThatPausedInBetweenCountsOn) {
  const Undisturbed course = Course();
  // At each of the evaluations that stop it.
  for (int64_t step = course.step - 4; step <= course.step; ++step) {
    SCOPED_TRACE(step);
    World world(Patient({}));
    world.Submit(/*jobs=*/1, kSteps);
    world.RunUntil([&] { return JobIn(world, 1).position.step >= step; });
    world.InCore([&](Core& core) { core.Pause({JobId(1)}, world.now()); });
    world.RunUntil([&] {
      const Job& job = JobIn(world, 1);
      return job.state() == v1::JOB_STATE_PAUSED || job.ended();
    });
    world.InCore([&](Core& core) { core.Resume({JobId(1)}, world.now()); });
    world.RunUntilJobsEnd();
    ExpectStoppedAt(course.step, JobIn(world, 1));
    EXPECT_EQ(world.trained().at(kSteps), course.model);
  }
}

}  // namespace
}  // namespace hydra
