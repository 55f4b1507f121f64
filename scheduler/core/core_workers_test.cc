#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/protocol/task_format.h"
#include "scheduler/core/core.h"
#include "scheduler/core/testing/world_jobs.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::HasSubstr;

TEST(CoreWorkersTest, AWorkersDeathRunsItsTasksAgain) {
  World world({});
  world.Submit(/*jobs=*/3, /*steps=*/4);
  world.RunUntil([&] { return JobIn(world, 1).position.step == 1; });
  world.Crash(0);
  world.RunUntilJobsEnd();
  for (uint64_t id : {1, 2, 3}) {
    EXPECT_EQ(JobIn(world, id).state(), v1::JOB_STATE_COMPLETED);
    EXPECT_EQ(JobIn(world, id).steps.size(), 4);
  }
}

TEST(CoreWorkersTest, AJobThatKeepsKillingWorkersIsPoison) {
  World::Options options;
  options.poison_crashes = 3;
  options.crash = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(JobIn(world, 1).reason, HasSubstr("POISON"));
}

// Far longer than estimated, or than the watchdog gives what nobody estimates.
TEST(CoreWorkersTest, ATaskThatTakesLongAndGetsOnIsNotKilled) {
  World::Options options;
  options.long_task = 0.2;
  World world(options);
  world.Submit(/*jobs=*/2, /*steps=*/3);
  world.RunUntilJobsEnd();
  EXPECT_GT(world.now() - absl::UnixEpoch(), absl::Hours(1));
  EXPECT_EQ(Restarts(world), 0);
}

TEST(CoreWorkersTest, ATaskThatHangsIsKilledAndRunsAgain) {
  World::Options options;
  options.hang = 0.05;
  World world(options);
  world.Submit(/*jobs=*/2, /*steps=*/10);
  world.RunUntilJobsEnd();
  EXPECT_GT(Restarts(world), 0);
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_COMPLETED);
}

TEST(CoreWorkersTest, ADeviceThatKillsEveryTaskFailsNoJob) {
  World::Options options;
  options.poison_crashes = 3;
  World world(options);
  world.setup().bad_device = 1;
  world.Submit(/*jobs=*/6, /*steps=*/3);
  world.RunUntilJobsEnd();
  for (uint64_t id = 1; id <= 6; ++id) {
    EXPECT_EQ(JobIn(world, id).state(), v1::JOB_STATE_COMPLETED)
        << JobIn(world, id).reason;
  }
  const v1::WorkerStatus bad = world.core().Workers(world.now())[1];
  EXPECT_EQ(bad.state(), v1::WORKER_STATE_QUARANTINED);
  EXPECT_EQ(bad.restarts(), 2);
  EXPECT_THAT(bad.reason(), HasSubstr("gets no task for 1m"));
}

TEST(CoreWorkersTest, ADeviceThatKillsTheOnlyJobsTasksLeavesItToTheOther) {
  World::Options options;
  options.poison_crashes = 3;
  World world(options);
  world.setup().bad_device = 0;
  world.Submit(/*jobs=*/1, /*steps=*/20);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_COMPLETED)
      << JobIn(world, 1).reason;
  EXPECT_LE(Restarts(world), 2);
}

TEST(CoreWorkersTest, AMendedDeviceIsTriedAgain) {
  World world({});
  world.setup().bad_device = 1;
  world.Submit(/*jobs=*/3, /*steps=*/10'000);
  auto state = [&] { return world.core().Workers(world.now())[1].state(); };
  world.RunUntil([&] { return state() == v1::WORKER_STATE_QUARANTINED; });
  const absl::Time then = world.now();
  world.setup().bad_device = -1;
  world.RunUntil([&] { return state() == v1::WORKER_STATE_READY; });
  EXPECT_GE(world.now() - then, absl::Seconds(59));
  const int64_t finished =
      world.core().Workers(world.now())[1].finished_tasks();
  world.RunUntil([&] {
    return world.core().Workers(world.now())[1].finished_tasks() > finished;
  });
  EXPECT_EQ(state(), v1::WORKER_STATE_READY);
}

TEST(CoreWorkersTest, AJobThatKillsEveryDeviceIsPoisonAndNoDeviceIsToBlame) {
  World::Options options;
  options.poison_crashes = 3;
  World world(options);
  world.setup().bad_job = 2;
  world.Submit(/*jobs=*/4, /*steps=*/3);
  world.RunUntilJobsEnd();
  EXPECT_THAT(JobIn(world, 2).reason, HasSubstr("POISON"));
  EXPECT_EQ(Restarts(world), 3);
  for (uint64_t id : {1, 3, 4}) {
    EXPECT_EQ(JobIn(world, id).state(), v1::JOB_STATE_COMPLETED);
  }
  for (const v1::WorkerStatus& worker : world.core().Workers(world.now())) {
    EXPECT_NE(worker.state(), v1::WORKER_STATE_QUARANTINED);
  }
}

// Nearly always something of another job is on its way to the host when the bad
// job's task kills the worker.
TEST(CoreWorkersTest, WhatWasComputedBeforeTheWorkerDiedIsNotToBlame) {
  World::Options options;
  options.workers = 1;
  options.poison_crashes = 3;
  options.written_later = 1;
  World world(options);
  world.setup().bad_job = 2;
  world.setup().task_time[2] = absl::Milliseconds(1);
  world.Submit(/*jobs=*/4, /*steps=*/3);
  world.RunUntilJobsEnd();
  EXPECT_THAT(JobIn(world, 2).reason, HasSubstr("POISON"));
  int64_t retried = 0;
  for (uint64_t id : {1, 3, 4}) {
    EXPECT_EQ(JobIn(world, id).state(), v1::JOB_STATE_COMPLETED);
    EXPECT_TRUE(JobIn(world, id).crashed_on.empty());
    retried += JobIn(world, id).totals.retried_tasks();
  }
  EXPECT_GT(retried, 0) << "nothing was on its way";
}

TEST(CoreWorkersTest,
     ATaskThatKeepsFailingIsTriedForAMinuteAndThenFailsItsJob) {
  World::Options options;
  options.task_failure = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntil([&] { return JobIn(world, 1).failures_in_a_row == 2; });
  world.RunUntil(
      [&] { return JobIn(world, 1).state() == v1::JOB_STATE_PENDING; });
  EXPECT_THAT(
      JobIn(world, 1).reason,
      HasSubstr("INTERNAL: ; it is tried again after 2s, 4 times more"));
  const absl::Time begin = world.now();
  world.RunUntilJobsEnd();
  EXPECT_GT(world.now() - begin, absl::Seconds(50));
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(JobIn(world, 1).reason, HasSubstr("it was tried 7 times"));
}

TEST(CoreWorkersTest, AFailureInTheUsersDataIsNotTriedAgain) {
  World::Options options;
  options.data_failure = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntilJobsEnd();
  EXPECT_LT(world.now() - absl::UnixEpoch(), absl::Seconds(2));
  EXPECT_THAT(JobIn(world, 1).reason, HasSubstr("PREPARE of step 0: INVALID"));
}

TEST(CoreWorkersTest,
     AWorkerWhoseReportCannotBeIsStartedAgainAndTheDaemonGoesOn) {
  World::Options options;
  options.workers = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/3);
  world.RunUntil([&] {
    return Training(JobIn(world, 1)) && JobIn(world, 1).outstanding.size() == 2;
  });
  // The second task of its hand, and not the first.
  worker::v1::WorkerReport report;
  report.set_session(world.session(0));
  report.set_sequence(1'000'000);
  report.set_task_format(kTaskFormat);
  worker::v1::TaskReport& task = *report.add_reports();
  task.set_task_id(JobIn(world, 1).outstanding.back().id.value());
  task.mutable_pass()->set_loss_tokens(1);
  world.InCore([&](Core& core) {
    core.WorkerReported(WorkerId(1), report, world.now());
  });
  world.RunUntilJobsEnd();
  EXPECT_EQ(Restarts(world), 1);
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(JobIn(world, 1).steps.size(), 3);
}

TEST(CoreWorkersTest, AWorkerOfAnEarlierVersionIsReplacedOnceItHoldsNothing) {
  World::Options options;
  options.workers = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/3);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  worker::v1::WorkerReport report;
  report.set_session(world.session(0));
  report.set_sequence(1'000'000);
  report.set_task_format(kTaskFormat - 1);
  for (const OutstandingTask& task : JobIn(world, 1).outstanding) {
    report.add_held()->set_task_id(task.id.value());
  }
  world.InCore([&](Core& core) {
    core.WorkerReported(WorkerId(1), report, world.now());
  });
  EXPECT_EQ(Restarts(world), 0) << "while it holds tasks";
  report.clear_held();
  report.set_sequence(2'000'000);
  world.InCore([&](Core& core) {
    core.WorkerReported(WorkerId(1), report, world.now());
  });
  world.RunUntilJobsEnd();
  EXPECT_EQ(Restarts(world), 1);
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_COMPLETED);
}

World::Options TwoUnequalDevices() {
  World::Options options;
  options.equal_devices = false;
  return options;
}

TEST(CoreWorkersTest, APilotRunsOnTheSmallestDeviceThatIsThere) {
  World world(TwoUnequalDevices());
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntilJobsEnd();
  const int64_t smallest = JobIn(world, 1).partition_limit_bytes;
  world.Remove(0);
  world.Submit(/*jobs=*/1, /*steps=*/2);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).partition_limit_bytes, smallest);
  EXPECT_EQ(JobIn(world, 2).state(), v1::JOB_STATE_COMPLETED);
  // What was found for the smaller one fits; nothing was measured again.
  EXPECT_EQ(JobIn(world, 2).partition->source(), "reused");
}

TEST(CoreWorkersTest, APilotDoesNotWaitForADeviceThatIsGone) {
  World world(TwoUnequalDevices());
  world.Remove(0);
  world.Submit(/*jobs=*/1, /*steps=*/200);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  EXPECT_LT(world.now() - absl::UnixEpoch(), absl::Minutes(2));
  EXPECT_EQ(JobIn(world, 1).partition->source(), "pilot");
  EXPECT_GT(JobIn(world, 1).partition_limit_bytes, 1 << 20);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_COMPLETED);
}

TEST(CoreWorkersTest, AWorkerThatFallsSilentIsKilledAndItsJobsGoOn) {
  World::Options options;
  options.workers = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/3);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  world.StopProcess(0, absl::Seconds(2));
  world.RunUntil([&] { return JobIn(world, 1).position.step == 1; });
  EXPECT_EQ(world.core().Workers(world.now())[0].restarts(), 0);
  world.StopProcess(0, absl::Seconds(10));
  world.RunUntilJobsEnd();
  EXPECT_EQ(world.core().Workers(world.now())[0].restarts(), 1);
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_COMPLETED);
}

TEST(CoreWorkersTest, AnIdleWorkerTakesAPromiseFromABusyOne) {
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
