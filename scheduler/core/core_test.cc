#include "scheduler/core/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "common/status/proto_time.h"
#include "scheduler/core/effect_buffer.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Job& JobIn(World& world, uint64_t id) {
  return *world.core().FindJob(JobId(id));
}

bool Training(const Job& job) {
  return job.phase == v1::JOB_PHASE_TRAIN && !job.outstanding.empty();
}

TEST(CoreTest, ARepeatedRequestIdQueuesNothingMore) {
  World world({});
  std::vector<NewJob> jobs(2, World::SmallJob(1));
  const SweepId first = world.core().Submit(jobs, "once", world.now())->sweep;
  EXPECT_EQ(world.core().Submit(jobs, "once", world.now())->sweep, first);
  EXPECT_NE(world.core().Submit(jobs, "twice", world.now())->sweep, first);
}

TEST(CoreTest, AJobThatCanNeverFitIsRefusedWithTheNumbers) {
  World::Options options;
  options.pool_bytes = 4096;
  World world(options);
  const absl::Status refused =
      world.core().Submit({World::SmallJob(1)}, "", world.now()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()),
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

TEST(CoreTest, EveryJobOfASweepHasTheWarningsOfItsPreparation) {
  World world({});
  world.Submit(/*jobs=*/2, /*steps=*/1);
  world.RunUntilJobsEnd();
  for (uint64_t id : {1, 2}) {
    EXPECT_THAT(DetailOf(JobIn(world, id), 0).warnings(),
                ElementsAre("the data is simulated"));
  }
}

TEST(CoreTest, CancellingATrainingJobFreesAllOfIt) {
  World world({});
  world.Submit(/*jobs=*/2, /*steps=*/1000);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  for (const JobId job : {JobId(1), JobId(2)}) {
    world.InCore([&](Core& core) {
      EXPECT_EQ(core.Cancel({job}, /*delete_checkpoints=*/false, world.now()),
                std::vector<JobId>{job});
      EXPECT_THAT(core.Cancel({job}, /*delete_checkpoints=*/false, world.now()),
                  IsEmpty());
    });
  }
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(world.core().pool_used_bytes(), 0);
  EXPECT_EQ(world.core().pool_reserved_bytes(), 0);
}

// One after the other, each end looked at all others that wait.
TEST(CoreTest, CancellingManyOfVeryManyTakesTimeForThoseAlone) {
  World::Options options;
  options.workers = 1;
  World world(options);
  constexpr int kJobs = 20'000;
  world.Submit(kJobs, /*steps=*/1);
  world.RunUntil([&] { return JobIn(world, kJobs).reason.size() > 0; });
  const std::vector<JobId> all = world.core().JobsOf(SweepId(1));
  const std::vector<JobId> first(all.begin(), all.begin() + kJobs / 2);
  const absl::Time start = absl::Now();
  world.InCore([&](Core& core) {
    EXPECT_THAT(core.Cancel(first, /*delete_checkpoints=*/false, world.now()),
                SizeIs(kJobs / 2));
  });
  // 100 microseconds a job; it was milliseconds.
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
  world.RunUntil([&] { return Training(JobIn(world, kJobs / 2 + 1)); });
}

TEST(CoreTest, AnEventSeesToSomeOfManyJobsAndLeavesTheOthersToLaterTurns) {
  Core::Options options;
  options.pool_bytes = int64_t{64} << 20;
  options.devices.push_back({"cpu:0", 1 << 20, 1});
  options.advances_in_one_go = 3;
  ShardedLrtf policy;
  Journal journal;
  EffectBuffer effects;
  Core core(options, &policy, &journal, &effects);
  const auto submission =
      core.Submit(std::vector<NewJob>(5, World::SmallJob(1)), "", absl::Now());
  core.Recorded(submission->sequence, absl::Now());
  EXPECT_FALSE(core.FindJob(JobId(3))->reason.empty());
  EXPECT_TRUE(core.FindJob(JobId(4))->reason.empty());
  EXPECT_TRUE(core.has_more_work());
  core.ContinueWork(absl::Now());
  EXPECT_FALSE(core.FindJob(JobId(5))->reason.empty());
  EXPECT_FALSE(core.has_more_work());
}

TEST(CoreTest, JobsThatAreSeenToOneByOneAllEnd) {
  World::Options options;
  options.advances_in_one_go = 1;
  options.daemon_crash = 0.01;
  World world(options);
  world.Submit(/*jobs=*/10, /*steps=*/2);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 10).state, v1::JOB_STATE_COMPLETED);
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

int Restarts(World& world) {
  int restarts = 0;
  for (const v1::WorkerStatus& worker : world.core().Workers(world.now())) {
    restarts += worker.restarts();
  }
  return restarts;
}

// Far longer than estimated, or than the watchdog gives what nobody estimates.
TEST(CoreTest, ATaskThatTakesLongAndGetsOnIsNotKilled) {
  World::Options options;
  options.long_task = 0.2;
  World world(options);
  world.Submit(/*jobs=*/2, /*steps=*/3);
  world.RunUntilJobsEnd();
  EXPECT_GT(world.now() - absl::UnixEpoch(), absl::Hours(1));
  EXPECT_EQ(Restarts(world), 0);
}

TEST(CoreTest, ATaskThatHangsIsKilledAndRunsAgain) {
  World::Options options;
  options.hang = 0.05;
  World world(options);
  world.Submit(/*jobs=*/2, /*steps=*/10);
  world.RunUntilJobsEnd();
  EXPECT_GT(Restarts(world), 0);
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_COMPLETED);
}

TEST(CoreTest, WhatTasksTookIsKnownAfterARestart) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/9);
  world.RunUntil([&] { return JobIn(world, 1).position.step == 5; });
  const Job& job = JobIn(world, 1);
  const ChainTask first =
      TaskAt(job.shape, job.plan, {ChainPosition::Phase::kTrain, 5, 0});
  const absl::Duration estimate = job.times->Estimate(first);
  // The pilot said twice as much, for two micro-batches.
  EXPECT_EQ(estimate, absl::Seconds(1));
  world.CrashDaemon();
  world.RunUntil([] { return true; });
  EXPECT_EQ(JobIn(world, 1).times->Estimate(first), estimate);
}

TEST(CoreTest, ADeviceThatKillsEveryTaskFailsNoJob) {
  World::Options options;
  options.poison_crashes = 3;
  World world(options);
  world.setup().bad_device = 1;
  world.Submit(/*jobs=*/6, /*steps=*/3);
  world.RunUntilJobsEnd();
  for (uint64_t id = 1; id <= 6; ++id) {
    EXPECT_EQ(JobIn(world, id).state, v1::JOB_STATE_COMPLETED)
        << JobIn(world, id).reason;
  }
  const v1::WorkerStatus bad = world.core().Workers(world.now())[1];
  EXPECT_EQ(bad.state(), v1::WORKER_STATE_QUARANTINED);
  EXPECT_EQ(bad.restarts(), 2);
  EXPECT_THAT(bad.reason(), HasSubstr("gets no task for 1m"));
}

TEST(CoreTest, ADeviceThatKillsTheOnlyJobsTasksLeavesItToTheOther) {
  World::Options options;
  options.poison_crashes = 3;
  World world(options);
  world.setup().bad_device = 0;
  world.Submit(/*jobs=*/1, /*steps=*/20);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_COMPLETED)
      << JobIn(world, 1).reason;
  EXPECT_LE(Restarts(world), 2);
}

TEST(CoreTest, AMendedDeviceIsTriedAgain) {
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

TEST(CoreTest, AJobThatKillsEveryDeviceIsPoisonAndNoDeviceIsToBlame) {
  World::Options options;
  options.poison_crashes = 3;
  World world(options);
  world.setup().bad_job = 2;
  world.Submit(/*jobs=*/4, /*steps=*/3);
  world.RunUntilJobsEnd();
  EXPECT_THAT(JobIn(world, 2).reason, HasSubstr("POISON"));
  EXPECT_EQ(Restarts(world), 3);
  for (uint64_t id : {1, 3, 4}) {
    EXPECT_EQ(JobIn(world, id).state, v1::JOB_STATE_COMPLETED);
  }
  for (const v1::WorkerStatus& worker : world.core().Workers(world.now())) {
    EXPECT_NE(worker.state(), v1::WORKER_STATE_QUARANTINED);
  }
}

TEST(CoreTest, ATaskThatKeepsFailingIsTriedForAMinuteAndThenFailsItsJob) {
  World::Options options;
  options.task_failure = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntil([&] { return JobIn(world, 1).failures_in_a_row == 2; });
  world.RunUntil(
      [&] { return JobIn(world, 1).state == v1::JOB_STATE_PENDING; });
  EXPECT_THAT(
      JobIn(world, 1).reason,
      HasSubstr("INTERNAL: ; it is tried again after 2s, 4 times more"));
  const absl::Time begin = world.now();
  world.RunUntilJobsEnd();
  EXPECT_GT(world.now() - begin, absl::Seconds(50));
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_FAILED);
  EXPECT_THAT(JobIn(world, 1).reason, HasSubstr("it was tried 7 times"));
}

TEST(CoreTest, AFailureInTheUsersDataIsNotTriedAgain) {
  World::Options options;
  options.data_failure = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntilJobsEnd();
  EXPECT_LT(world.now() - absl::UnixEpoch(), absl::Seconds(2));
  EXPECT_THAT(JobIn(world, 1).reason, HasSubstr("PREPARE of step 0: INVALID"));
}

TEST(CoreTest, DataThatAreTooShortAreToldBeforeAPilot) {
  World world({});
  world.setup().token_count = 2;
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntilJobsEnd();
  const Job& job = JobIn(world, 1);
  EXPECT_EQ(job.state, v1::JOB_STATE_FAILED);
  EXPECT_THAT(job.reason, HasSubstr("the training split has 2 tokens"));
  EXPECT_EQ(job.partition, nullptr);
  EXPECT_EQ(job.totals.tasks(), 1) << "the preparation";
}

TEST(CoreTest, AModelThatDoesNotFitTheDeviceIsCutAnew) {
  World world({});
  world.setup().layers_per_shard = 2;
  world.setup().layers_in_device = 1;
  world.Submit(/*jobs=*/1, /*steps=*/3);
  world.RunUntilJobsEnd();
  const Job& job = JobIn(world, 1);
  EXPECT_EQ(job.state, v1::JOB_STATE_COMPLETED) << job.reason;
  EXPECT_EQ(job.partition->cut_points_size(), 3);
  EXPECT_GT(job.pilot_reserve_bytes, 0);
}

TEST(CoreTest, AJobThatIsCutAnewGoesOnFromWhereItWas) {
  World world({});
  world.setup().layers_per_shard = 2;
  world.Submit(/*jobs=*/1, /*steps=*/9);
  // After the checkpoint of step 4.
  world.RunUntil([&] { return JobIn(world, 1).position.step == 5; });
  world.setup().layers_in_device = 1;
  world.RunUntil([&] { return JobIn(world, 1).restart_requested; });
  const int64_t step = JobIn(world, 1).position.step;
  const bool turned =
      JobIn(world, 1).position.task >= JobIn(world, 1).shape.shard_count();
  world.RunUntil([&] {
    return !JobIn(world, 1).restart_requested && Training(JobIn(world, 1));
  });
  EXPECT_EQ(JobIn(world, 1).position.step, turned ? 4 : step);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).steps.size(), 9);
}

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
  EXPECT_LT(
      TimeUntil([&] { return JobIn(world_, 1).state == v1::JOB_STATE_PAUSED; }),
      absl::Seconds(1));
  world_.InCore([&](Core& core) { core.Resume({JobId(1)}, world_.now()); });
  world_.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world_, 1).state, v1::JOB_STATE_COMPLETED);
}

TEST_F(LongTaskTest, AStoppingDaemonDoesNotWaitForAPreparation) {
  world_.InCore([&](Core& core) { core.Park(world_.now()); });
  EXPECT_LT(TimeUntil([&] { return world_.core().parked(); }),
            absl::Seconds(1));
  EXPECT_TRUE(world_.core().AllSaved());
}

TEST_F(LongTaskTest, AWorkerThatDoesNotStopIsWaitedFor) {
  world_.setup().stops_when_told = false;
  world_.InCore(
      [&](Core& core) { core.Cancel({JobId(1)}, false, world_.now()); });
  EXPECT_GT(TimeUntil([&] { return world_.AllJobsEnded(); }), absl::Minutes(9));
  EXPECT_EQ(JobIn(world_, 1).state, v1::JOB_STATE_CANCELLED);
}

TEST(CoreTest, AWorkerWhoseReportCannotBeIsStartedAgainAndTheDaemonGoesOn) {
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
  worker::v1::TaskReport& task = *report.add_reports();
  task.set_task_id(JobIn(world, 1).outstanding.back().id.value());
  task.mutable_pass()->set_loss_tokens(1);
  world.InCore([&](Core& core) {
    core.WorkerReported(WorkerId(1), report, world.now());
  });
  world.RunUntilJobsEnd();
  EXPECT_EQ(Restarts(world), 1);
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(JobIn(world, 1).steps.size(), 3);
}

TEST(CoreTest, AShortJobBehindLongOnesSaysHowManyAreAhead) {
  World::Options options;
  options.workers = 1;
  World world(options);
  world.Submit(/*jobs=*/3, /*steps=*/100);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntil(
      [&] { return absl::StrContains(JobIn(world, 4).reason, "ahead"); });
  const Job& job = JobIn(world, 4);
  EXPECT_EQ(job.reason,
            "waits for a device: 3 jobs with more time remaining are ahead");
  EXPECT_EQ(job.state, v1::JOB_STATE_PENDING);
  EXPECT_EQ(job.phase, v1::JOB_PHASE_INIT);
  world.RunUntil([&] { return Training(JobIn(world, 4)); });
  EXPECT_EQ(JobIn(world, 4).state, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(JobIn(world, 4).reason, "");
}

TEST(CoreTest, AJobThatWaitsWhileNoDeviceIsThereSaysSo) {
  World::Options options;
  options.workers = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/5);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  world.Remove(0);
  world.RunUntil([&] { return !JobIn(world, 1).reason.empty(); });
  EXPECT_EQ(JobIn(world, 1).reason,
            "waits for a device: none of 1 takes tasks");
}

// More is promised than there is, as after a fragmentation that nobody
// foresaw.
TEST(CoreTest, APoolInWhichNoNextWriteFitsIsSaidSo) {
  World::Options options;
  options.pool_bytes = int64_t{300} << 10;
  options.promised_tenths = 50;
  World world(options);
  world.Submit(/*jobs=*/6, /*steps=*/20);
  world.RunUntil([&] {
    return absl::StrContains(JobIn(world, 1).reason, "nothing goes on");
  });
  EXPECT_THAT(JobIn(world, 1).reason,
              HasSubstr("waits for room in the pool: its next task writes"));
  for (uint64_t id = 2; id <= 6; ++id) {
    world.InCore(
        [&](Core& core) { core.Cancel({JobId(id)}, false, world.now()); });
  }
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_COMPLETED);
}

World::Options TwoUnequalDevices() {
  World::Options options;
  options.equal_devices = false;
  return options;
}

TEST(CoreTest, APilotRunsOnTheSmallestDeviceThatIsThere) {
  World world(TwoUnequalDevices());
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntilJobsEnd();
  const int64_t smallest = JobIn(world, 1).partition_limit_bytes;
  world.Remove(0);
  world.Submit(/*jobs=*/1, /*steps=*/2);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).partition_limit_bytes, smallest);
  EXPECT_EQ(JobIn(world, 2).state, v1::JOB_STATE_COMPLETED);
  // What was found for the smaller one fits; nothing was measured again.
  EXPECT_EQ(JobIn(world, 2).partition->source(), "reused");
}

TEST(CoreTest, APilotDoesNotWaitForADeviceThatIsGone) {
  World world(TwoUnequalDevices());
  world.Remove(0);
  world.Submit(/*jobs=*/1, /*steps=*/200);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  EXPECT_LT(world.now() - absl::UnixEpoch(), absl::Minutes(2));
  EXPECT_EQ(JobIn(world, 1).partition->source(), "pilot");
  EXPECT_GT(JobIn(world, 1).partition_limit_bytes, 1 << 20);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_COMPLETED);
}

TEST(CoreTest, AWorkerThatFallsSilentIsKilledAndItsJobsGoOn) {
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
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_COMPLETED);
}

TEST(CoreTest, ASilenceWhileTheDaemonStoodStillKillsNobody) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/3);
  world.InCore([&](Core& core) {
    core.Tick(world.now());
    core.Tick(world.now() + absl::Seconds(10));
  });
  world.RunUntilJobsEnd();
  EXPECT_EQ(world.core().Workers(world.now())[0].restarts(), 0);
}

TEST(CoreTest, APausedJobHoldsNothingAndGoesOnWhereItWas) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/5);
  world.RunUntil([&] { return JobIn(world, 1).position.step == 3; });
  world.InCore([&](Core& core) {
    EXPECT_THAT(core.Pause({JobId(1)}, world.now()), SizeIs(1));
    EXPECT_THAT(core.Pause({JobId(1)}, world.now()), IsEmpty());
  });
  world.RunUntil([&] { return JobIn(world, 1).state == v1::JOB_STATE_PAUSED; });
  EXPECT_EQ(world.core().pool_used_bytes(), 0);
  EXPECT_EQ(world.core().pool_reserved_bytes(), 0);
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

TEST(CoreTest, APausedJobStaysPausedOverARestart) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/5);
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  world.InCore([&](Core& core) { core.Pause({JobId(1)}, world.now()); });
  world.RunUntil([&] { return JobIn(world, 1).state == v1::JOB_STATE_PAUSED; });
  for (int restart = 0; restart < 2; ++restart) {
    world.CrashDaemon();
    const absl::Time later = world.now() + absl::Minutes(5);
    world.RunUntil([&] { return world.now() > later; });
    EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_PAUSED);
  }
}

TEST(CoreTest, AnAcknowledgedPauseSurvivesARestart) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/5);
  world.RunUntil([&] { return JobIn(world, 1).position.inside_step(); });
  world.InCore([&](Core& core) {
    EXPECT_THAT(core.Pause({JobId(1)}, world.now()), SizeIs(1));
  });
  world.CrashDaemon();
  world.RunUntil([&] { return JobIn(world, 1).state == v1::JOB_STATE_PAUSED; });
  EXPECT_EQ(JobIn(world, 1).position.step, 1);
}

// The world checks that no evaluation is missing or there twice.
TEST(CoreTest, APauseBetweenTheLastEvaluationsLosesNeither) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/2);
  world.RunUntil(
      [&] { return JobIn(world, 1).position.split == worker::v1::SPLIT_TEST; });
  world.InCore([&](Core& core) { core.Pause({JobId(1)}, world.now()); });
  world.RunUntil([&] { return JobIn(world, 1).state == v1::JOB_STATE_PAUSED; });
  EXPECT_EQ(JobIn(world, 1).evaluations.size(), 1);
  world.CutPower();
  world.RunUntil([] { return true; });
  world.InCore([&](Core& core) { core.Resume({JobId(1)}, world.now()); });
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).evaluations.size(), 2);
}

TEST(CoreTest, APreparationThatOutlivesTheDaemonCounts) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntil([&] {
    const Job& job = JobIn(world, 1);
    return !job.outstanding.empty() && job.outstanding.front().begun;
  });
  const TaskId task = JobIn(world, 1).outstanding.front().id;
  world.CrashDaemon();
  world.RunUntil([] { return true; });
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_RUNNING);
  world.RunUntil([&] {
    const Job& job = JobIn(world, 1);
    return job.outstanding.empty() || job.outstanding.front().id != task;
  });
  EXPECT_EQ(JobIn(world, 1).totals.tasks(), 1);
}

TEST(CoreTest, AWorkerIsNotBusierThanItIsAttached) {
  World::Options options;
  options.workers = 1;
  World world(options);
  world.Submit(/*jobs=*/2, /*steps=*/20);
  world.RunUntil([&] { return JobIn(world, 1).position.step == 10; });
  world.CrashDaemon();
  world.RunUntil([&] { return JobIn(world, 1).position.step == 12; });
  const v1::WorkerStatus worker = world.core().Workers(world.now())[0];
  EXPECT_GT(FromProto(worker.busy()), absl::ZeroDuration());
  EXPECT_LT(FromProto(worker.busy()), FromProto(worker.attached()));
  EXPECT_LT(FromProto(worker.attached()), world.busy(0));
}

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
  world.InCore([&](Core& core) { core.Park(world.now()); });
  world.RunUntil([&] { return world.core().parked(); });
  ASSERT_TRUE(JobIn(world, 1).checkpoints.back().info().inside_step());
}

TEST(CoreTest, AStepThatUpdatedNothingBeginsAgainInAnotherPartition) {
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

TEST(CoreTest, AStepThatUpdatedSomeGoesOnInItsPartition) {
  World world({});
  ParkInsideAStep(world, /*turned=*/true);
  world.CutPower();
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  EXPECT_EQ(JobIn(world, 1).position.step, 5);
  EXPECT_GT(JobIn(world, 1).position.task, 0);
}

TEST(CoreTest, AStepThatUpdatedSomeIsLeftInAnotherPartition) {
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

TEST(CoreTest, AJobWhoseCheckpointCannotBeReadWaitsForItsUser) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/9);
  world.RunUntil([&] { return JobIn(world, 1).position.step == 5; });
  world.MakeCheckpointsReadable(false);
  world.CutPower();
  world.RunUntil([&] { return JobIn(world, 1).state == v1::JOB_STATE_PAUSED; });
  EXPECT_THAT(JobIn(world, 1).reason, HasSubstr("cannot be read"));
  EXPECT_EQ(world.core().pool_reserved_bytes(), 0);
  world.MakeCheckpointsReadable(true);
  world.InCore([&](Core& core) { core.Resume({JobId(1)}, world.now()); });
  world.RunUntil([&] { return Training(JobIn(world, 1)); });
  EXPECT_GE(JobIn(world, 1).position.step, 2);
}

TEST(CoreTest, AJobWhoseDataHasChangedWaitsForItsUser) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/9);
  world.RunUntil([&] { return JobIn(world, 1).position.step == 5; });
  world.setup().token_file = "/cache/another.tokens";
  world.CutPower();
  world.RunUntil([&] { return JobIn(world, 1).state == v1::JOB_STATE_PAUSED; });
  EXPECT_THAT(JobIn(world, 1).reason, HasSubstr("SPLIT_TRAIN has 200 tokens"));
  world.InCore([&](Core& core) { core.Resume({JobId(1)}, world.now()); });
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_COMPLETED);
}

TEST(CoreTest, TheNewestCheckpointsAndTheBestAreKept) {
  World world({});
  world.Submit(/*jobs=*/1, /*steps=*/20);
  world.RunUntilJobsEnd();
  const Job& job = JobIn(world, 1);
  EXPECT_GT(world.checkpoints_written(), 4);
  ASSERT_EQ(job.checkpoints.size(), 3);
  double best = job.evaluations.front().loss();
  for (const v1::EvaluationMetrics& evaluation : job.evaluations) {
    if (evaluation.split() == "validation") {
      best = std::min(best, evaluation.loss());
    }
  }
  EXPECT_EQ(job.checkpoints[0].info().validation_loss(), best);
  EXPECT_LT(job.checkpoints[0].info().step(), 16);
  EXPECT_EQ(job.checkpoints[2].info().step(), 20);
}

TEST(CoreTest, ParkingSavesEveryJobAtAShardsEdge) {
  World world({});
  world.Submit(/*jobs=*/3, /*steps=*/50);
  world.RunUntil([&] { return JobIn(world, 2).position.inside_step(); });
  world.InCore([&](Core& core) { core.Park(world.now()); });
  world.RunUntil([&] { return world.core().parked(); });
  EXPECT_TRUE(world.core().AllSaved());
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
    EXPECT_EQ(JobIn(world, id).state, v1::JOB_STATE_COMPLETED);
    EXPECT_EQ(JobIn(world, id).steps.size(), 50);
  }
}

TEST(CoreTest, BadNumbersFailTheJobThatAllowsNone) {
  World::Options options;
  options.nonfinite = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/5);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state, v1::JOB_STATE_FAILED);
  EXPECT_THAT(JobIn(world, 1).reason, HasSubstr("NONFINITE: step 0"));
}

TEST(CoreTest, BadNumbersAreCountedWhereTheyAreAllowed) {
  World::Options options;
  options.nonfinite = 0.2;
  options.max_nonfinite_steps = 1000;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/20);
  world.RunUntilJobsEnd();
  const Job& job = JobIn(world, 1);
  EXPECT_EQ(job.state, v1::JOB_STATE_COMPLETED);
  int64_t steps = 0;
  for (const v1::StepMetrics& step : job.steps.Newest(kAllSteps)) {
    steps += step.skipped_blocks() > 0 ? 1 : 0;
  }
  EXPECT_GT(steps, 0);
  EXPECT_EQ(job.totals.nonfinite_steps(), steps);
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
