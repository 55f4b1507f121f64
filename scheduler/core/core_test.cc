#include "scheduler/core/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status/proto_time.h"
#include "scheduler/core/effect_buffer.h"
#include "scheduler/core/new_job.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Matcher;
using ::testing::MatchesRegex;
using ::testing::Not;
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
  const SweepId first =
      world.core()
          .Submit(std::vector<NewJob>(jobs), {"once", ""}, world.now())
          ->sweep;
  EXPECT_EQ(world.core()
                .Submit(std::vector<NewJob>(jobs), {"once", ""}, world.now())
                ->sweep,
            first);
  EXPECT_NE(world.core()
                .Submit(std::vector<NewJob>(jobs), {"twice", ""}, world.now())
                ->sweep,
            first);
}

TEST(CoreTest, AJobThatCanNeverFitIsRefusedWithTheNumbers) {
  World::Options options;
  options.pool_bytes = 4096;
  World world(options);
  const absl::Status refused =
      world.core().Submit({World::SmallJob(1)}, {}, world.now()).status();
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

// The worker tells the job that did it.
TEST(CoreTest, EveryJobOfASweepIsToldOfItsPreparationInItsLog) {
  World world({});
  world.Submit(/*jobs=*/2, /*steps=*/1);
  world.RunUntilJobsEnd();
  EXPECT_THAT(world.LogOf(JobId(1)), Not(Contains(HasSubstr("SPLIT_"))));
  EXPECT_THAT(
      world.LogOf(JobId(2)),
      IsSupersetOf({Matcher<std::string>("the data is simulated"),
                    Matcher<std::string>(MatchesRegex(
                        "SPLIT_TRAIN: [0-9]+ tokens, prepared with .*"))}));
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
      core.Submit(std::vector<NewJob>(5, World::SmallJob(1)), {}, absl::Now());
  core.Recorded(submission->sequence, absl::Now());
  EXPECT_FALSE(core.FindJob(JobId(3))->reason.empty());
  EXPECT_TRUE(core.FindJob(JobId(4))->reason.empty());
  EXPECT_TRUE(core.has_more_work());
  core.ContinueWork(absl::Now());
  EXPECT_FALSE(core.FindJob(JobId(5))->reason.empty());
  EXPECT_FALSE(core.has_more_work());
}

// A core alone, without workers, whose turns the test ends.
class ManyJobsTest : public ::testing::Test {
 protected:
  static constexpr int kJobs = 1200;

  ManyJobsTest() : core_(OneDevice(), &policy_, &journal_, &effects_) {}

  static Core::Options OneDevice() {
    Core::Options options;
    options.pool_bytes = int64_t{64} << 20;
    options.devices.push_back({"cpu:0", 1 << 20, 1});
    options.kept_ended_jobs = 0;
    return options;
  }
  uint64_t Submit() {
    std::vector<NewJob> jobs(kJobs, World::SmallJob(1));
    for (int i = 0; i < kJobs; ++i) {
      jobs[i].spec.set_name(absl::StrCat("job-", i));
      Prepare(jobs[i]);
    }
    return core_.Submit(std::move(jobs), {"once", ""}, now_)->sequence;
  }

  const absl::Time now_ = absl::FromUnixSeconds(1000);
  ShardedLrtf policy_;
  Journal journal_;
  EffectBuffer effects_;
  Core core_;
};

TEST_F(ManyJobsTest, AreMadeInSeveralTurnsAndComeInTogether) {
  const uint64_t sequence = Submit();
  int turns = 0;
  for (; core_.has_more_work(); ++turns) {
    core_.ContinueWork(now_);
    EXPECT_THAT(core_.Sweeps(), IsEmpty());
  }
  EXPECT_GT(turns, 1);
  core_.Recorded(sequence, now_);
  EXPECT_THAT(core_.JobsOf(SweepId(1)), SizeIs(kJobs));
  EXPECT_EQ(core_.FindJob(JobId(kJobs))->submitted.spec.name(),
            absl::StrCat("job-", kJobs - 1));
  EXPECT_EQ(core_.FindJob(JobId(kJobs))->submitted_at, now_);
}

TEST_F(ManyJobsTest, ThatAreRecordedBeforeTheyAreMadeAllComeIn) {
  const uint64_t sequence = Submit();
  core_.ContinueWork(now_);
  core_.Recorded(sequence, now_);
  EXPECT_THAT(core_.JobsOf(SweepId(1)), SizeIs(kJobs));
  EXPECT_EQ(core_.FindJob(JobId(kJobs))->id, JobId(kJobs));
}

TEST_F(ManyJobsTest, ThatAreRefusedLeaveNothingToDo) {
  const uint64_t sequence = Submit();
  core_.ContinueWork(now_);
  core_.SubmissionRefused(sequence);
  EXPECT_FALSE(core_.has_more_work());
  EXPECT_FALSE(core_.SubmissionOf({"once"}).has_value());
  core_.Recorded(sequence, now_);
  EXPECT_THAT(core_.Sweeps(), IsEmpty());
}

TEST_F(ManyJobsTest, AreRecordedWithTheirSweepAndTime) {
  Submit();
  journal_.pool_changes();
  const std::vector<Journal::Entry> entries = journal_.TakeEntries();
  ASSERT_THAT(entries, SizeIs(1));
  // The sweep's record is the first.
  ASSERT_THAT(entries[0].changes, SizeIs(kJobs + 1));
  journal::v1::SubmittedJob record;
  ASSERT_TRUE(record.ParseFromString(entries[0].changes[7].value()));
  EXPECT_EQ(record.sweep_id(), 1);
  EXPECT_EQ(record.submitted_at().seconds(), 1000);
  EXPECT_EQ(record.spec().name(), "job-6");
  EXPECT_FALSE(record.model_config_json().empty());
}

TEST_F(ManyJobsTest, ThatHaveEndedAreForgottenInSeveralTurns) {
  core_.Recorded(Submit(), now_);
  core_.Cancel(core_.JobsOf(SweepId(1)), /*delete_checkpoints=*/false, now_);
  core_.Tick(now_);
  // jobs.db does not have their ends yet.
  EXPECT_THAT(core_.Sweeps(), SizeIs(1));
  (void)journal_.pool_changes();
  core_.Recorded(journal_.next_sequence() - 1, now_);
  core_.Tick(now_);
  EXPECT_THAT(core_.Sweeps(), IsEmpty());
  core_.ContinueWork(now_);
  EXPECT_NE(core_.FindJob(JobId(1)), nullptr);
  while (core_.has_more_work()) core_.ContinueWork(now_);
  for (int id = 1; id <= kJobs; ++id) {
    EXPECT_EQ(core_.FindJob(JobId(id)), nullptr) << id;
  }
}

// It was all of the queue in one turn.
TEST_F(ManyJobsTest, InTheQueueSayWhatTheyWaitForInSeveralTurns) {
  for (int i = 0; i < kJobs; ++i) {
    // Other data each: none waits for another one's.
    NewJob job = World::SmallJob(1);
    job.spec.mutable_data()->add_train_files(absl::StrCat("/data/", i));
    core_.Recorded(core_.Submit({job}, {}, now_)->sequence, now_);
  }
  while (core_.has_more_work()) core_.ContinueWork(now_);
  core_.Tick(now_ + absl::Seconds(6));
  const auto says = [&](int job) {
    return absl::StrContains(core_.FindJob(JobId(job))->reason, "none of 1");
  };
  EXPECT_TRUE(says(1));
  EXPECT_FALSE(says(kJobs));
  while (core_.has_more_work()) core_.ContinueWork(now_ + absl::Seconds(6));
  EXPECT_TRUE(says(kJobs));
}

// Keeps what the worker was told last.
class ToldWorker final : public Effects {
 public:
  const worker::v1::DesiredState& desired() const { return desired_; }

 private:
  void SendDesired(WorkerId, const worker::v1::DesiredState& desired) override {
    desired_ = desired;
  }
  void KillWorker(WorkerId, absl::string_view) override {}
  void SaveModel(const SaveRequest&) override {}
  void WriteCheckpoint(const CheckpointRequest&) override {}
  void RemoveCheckpoint(JobId, const std::string&) override {}
  void StorePartition(const std::string&, const v1::Partition&) override {}
  void LogForJob(JobId, const v1::LogLine&) override {}
  void LogLinesDropped(JobId, int64_t) override {}

  worker::v1::DesiredState desired_;
};

TEST_F(ManyJobsTest, AJobOfManyFilesIsDescribedToItsWorkerOnce) {
  NewJob job = World::SmallJob(1);
  for (int i = 0; i < 10'000; ++i) {
    job.spec.mutable_data()->add_train_files(absl::StrCat("/data/part-", i));
  }
  core_.Recorded(core_.Submit({job}, {}, now_)->sequence, now_);
  ToldWorker worker;
  journal::v1::WorkerProcess process;
  process.set_pid(1);
  process.set_session("secret");
  core_.WorkerStarted(WorkerId(1), process);
  worker::v1::WorkerReport report;
  report.set_session("secret");
  const auto tell = [&](bool lists_contexts) {
    report.set_sequence(report.sequence() + 1);
    report.set_desired_sequence(worker.desired().sequence());
    report.clear_contexts();
    if (lists_contexts) {
      *report.mutable_contexts() = worker.desired().contexts();
    }
    core_.WorkerReported(WorkerId(1), report, now_);
    effects_.Flush(worker);
    report.clear_reports();
  };
  const auto finish = [&]() -> worker::v1::TaskReport& {
    worker::v1::TaskReport& task = *report.add_reports();
    task.set_task_id(worker.desired().tasks(0).task_id());
    return task;
  };
  tell(/*lists_contexts=*/false);
  ASSERT_THAT(worker.desired().jobs(), SizeIs(1));
  // What PREPARE finds makes it another context.
  auto& split = *finish().mutable_prepare()->add_splits();
  split.set_split(worker::v1::SPLIT_TRAIN);
  split.set_token_count(200);
  tell(/*lists_contexts=*/true);
  ASSERT_THAT(worker.desired().jobs(), SizeIs(1));
  EXPECT_EQ(worker.desired().jobs(0).splits_size(), 1);
  finish().mutable_pilot()->add_layers();
  tell(/*lists_contexts=*/true);
  ASSERT_EQ(worker.desired().tasks(0).kind(), worker::v1::TASK_KIND_INIT);
  EXPECT_THAT(worker.desired().jobs(), IsEmpty());
  EXPECT_THAT(worker.desired().contexts(), SizeIs(1));
  EXPECT_LT(worker.desired().ByteSizeLong(), 10'000);
  // After a break of the stream nothing is taken for known.
  core_.WorkerStreamEnded(WorkerId(1), now_);
  tell(/*lists_contexts=*/true);
  EXPECT_THAT(worker.desired().jobs(), SizeIs(1));
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

// The world checks what is trained from them.
TEST(CoreTest, BoundariesWithARecordForEachMicroBatchAreTakenOver) {
  World world({});
  world.Submit(/*jobs=*/2, /*steps=*/4);
  for (int64_t step : {1, 2}) {
    world.RunUntil([&] {
      const Job& job = JobIn(world, 1);
      return job.position.step == step && job.position.task == 2;
    });
    world.CrashEarlierDaemon();
    world.RunUntil([] { return true; });
  }
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).steps.size(), 4);
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

// The writer is never free for long: the short jobs alone keep it busy.
TEST(CoreTest, AJobOfLongStepsIsSavedBesideManyOfShortOnes) {
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

TEST(CoreTest, ADiskThatStandsStillStopsNoTraining) {
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
                .Submit({World::SmallJob(1)}, {}, world.now())
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
