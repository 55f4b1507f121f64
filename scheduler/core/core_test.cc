#include "scheduler/core/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "common/status/proto_time.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/plan.h"
#include "scheduler/core/testing/small_job.h"
#include "scheduler/core/testing/world_jobs.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(CoreTest, ARepeatedRequestIdQueuesNothingMore) {
  World world({});
  std::vector<NewJob> jobs(2, SmallJob(1));
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
      world.core().Submit({SmallJob(1)}, {}, world.now()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("which can promise 3681"));
  EXPECT_TRUE(world.core().jobs().Sweeps().empty());
}

TEST(CoreTest, AJobWaitsForThePoolWithAReasonAndThenRuns) {
  World::Options options;
  options.pool_bytes = int64_t{300} << 10;
  World world(options);
  world.Submit(/*jobs=*/2, /*steps=*/2);
  world.RunUntil([&] {
    return JobIn(world, 2).phase() == v1::JOB_PHASE_ADMISSION &&
           JobIn(world, 2).state() == v1::JOB_STATE_PENDING;
  });
  EXPECT_THAT(JobIn(world, 2).reason, HasSubstr("waits for room in the pool"));
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 2).state(), v1::JOB_STATE_COMPLETED);
}

TEST(CoreTest, ADeviceThatNobodyNeedsIsIdleAndWaitsForNobody) {
  World::Options options;
  options.workers = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntilJobsEnd();
  const absl::Time ended = world.now();
  world.RunUntil([&] { return world.now() > ended + absl::Seconds(30); });
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntilJobsEnd();
  const v1::JobTotals totals = JobIn(world, 2).totals;
  EXPECT_GT(FromProto(totals.idle()), absl::Seconds(25));
  EXPECT_LT(FromProto(totals.wait_for_server()), absl::Seconds(5));
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
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(world.core().pool().used_bytes, 0);
  EXPECT_EQ(world.core().pool().reserved_bytes, 0);
}

TEST(CoreTest, AJobWithoutABlockSurvivesARestart) {
  World::Options options;
  options.workers = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/2);
  world.RunUntil([&] { return JobIn(world, 1).in_chain(); });
  world.CrashDaemon();
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_COMPLETED);
}

TEST(CoreTest, ADeletedJobIsGoneThoughTheDaemonIsKilledAtOnce) {
  World world({});
  world.ExpectDeletions();
  world.Submit(/*jobs=*/2, /*steps=*/2);
  world.RunUntil([&] {
    const Job& job = JobIn(world, 1);
    return job.ended() && !job.writing.has_value();
  });
  world.InCore([](Core& core) {
    EXPECT_EQ(core.Delete({{JobId(1), {}, {}}}).jobs,
              std::vector<JobId>{JobId(1)});
  });
  world.CrashDaemon();
  world.RunUntilJobsEnd();
  EXPECT_EQ(world.core().jobs().Find(JobId(1)), nullptr);
  EXPECT_EQ(JobIn(world, 2).state(), v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(world.core().jobs().JobsOf(SweepId(1)),
            std::vector<JobId>{JobId(2)});
  // No id is given twice.
  world.RunUntil([&] { return !JobIn(world, 2).writing.has_value(); });
  world.InCore([](Core& core) {
    EXPECT_EQ(core.Delete({{JobId(2), {}, {}}}).jobs.size(), 1);
  });
  world.CrashDaemon();
  world.Submit(/*jobs=*/1, /*steps=*/2);
  world.RunUntilJobsEnd();
  EXPECT_EQ(world.core().jobs().Sweeps(), std::vector<SweepId>{SweepId(2)});
  EXPECT_EQ(JobIn(world, 3).state(), v1::JOB_STATE_COMPLETED);
}

// Two small jobs with adapters on one frozen model.
std::vector<NewJob> JobsOfOneBase(int count, int64_t steps) {
  std::vector<NewJob> jobs;
  for (int i = 0; i < count; ++i) {
    NewJob job = SmallJob(steps);
    job.spec.mutable_lora()->set_r(1 + i);
    job.spec.mutable_lora()->set_lora_alpha(8);
    job.table = *TableOf(job.spec, *job.model_config_json);
    job.base_key = "a base";
    jobs.push_back(std::move(job));
  }
  return jobs;
}

TEST(CoreTest, JobsOfOneBaseHaveItOnceAndAfterARestartToo) {
  World world({});
  world.Submit(JobsOfOneBase(/*count=*/3, /*steps=*/9));
  const auto train = [&] {
    return absl::c_all_of(world.core().jobs().all(), [](const auto& entry) {
      return entry.second.position.step >= 2;
    });
  };
  world.RunUntil(train);
  const int64_t base = JobIn(world, 1).demand->base_bytes();
  EXPECT_GT(base, 0);
  EXPECT_LT(world.core().pool().used_bytes, 2 * base);
  world.CrashDaemon();
  world.RunUntil(train);
  EXPECT_LT(world.core().pool().used_bytes, 2 * base);
  world.RunUntilJobsEnd();
  for (uint64_t id : {1, 2, 3}) {
    EXPECT_EQ(JobIn(world, id).state(), v1::JOB_STATE_COMPLETED);
  }
  EXPECT_EQ(world.core().pool().used_bytes, 0);
  EXPECT_EQ(world.core().pool().reserved_bytes, 0);
}

TEST(CoreTest, ADaemonThatDiesWhileABaseIsFilledFillsItOnce) {
  World world({});
  world.Submit(JobsOfOneBase(/*count=*/2, /*steps=*/2));
  world.RunUntil([&] { return JobIn(world, 1).phase() == v1::JOB_PHASE_INIT; });
  world.CrashDaemon();
  world.RunUntilJobsEnd();
  for (uint64_t id : {1, 2}) {
    EXPECT_EQ(JobIn(world, id).state(), v1::JOB_STATE_COMPLETED)
        << JobIn(world, id).reason;
  }
  EXPECT_EQ(world.core().pool().used_bytes, 0);
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

TEST(CoreTest, DataThatAreTooShortAreToldBeforeAPilot) {
  World world({});
  world.setup().token_count = 2;
  world.Submit(/*jobs=*/1, /*steps=*/1);
  world.RunUntilJobsEnd();
  const Job& job = JobIn(world, 1);
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
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
  EXPECT_EQ(job.state(), v1::JOB_STATE_COMPLETED) << job.reason;
  EXPECT_EQ(job.partition->cut_points_size(), 3);
  EXPECT_GT(job.pilot_reserve_bytes, 0);
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
  EXPECT_EQ(job.state(), v1::JOB_STATE_PENDING);
  EXPECT_EQ(job.phase(), v1::JOB_PHASE_INIT);
  world.RunUntil([&] { return Training(JobIn(world, 4)); });
  EXPECT_EQ(JobIn(world, 4).state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(JobIn(world, 4).reason, "");
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
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_COMPLETED);
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
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_RUNNING);
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

TEST(CoreTest, BadNumbersFailTheJobThatAllowsNone) {
  World::Options options;
  options.nonfinite = 1;
  World world(options);
  world.Submit(/*jobs=*/1, /*steps=*/5);
  world.RunUntilJobsEnd();
  EXPECT_EQ(JobIn(world, 1).state(), v1::JOB_STATE_FAILED);
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
  EXPECT_EQ(job.state(), v1::JOB_STATE_COMPLETED);
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
  EXPECT_EQ(world.core().Submit({SmallJob(1)}, {}, world.now()).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace hydra
