#include "scheduler/storage/job_history.h"

#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;

// Sweep 1 with the jobs 1, which runs, and 2, which has ended after 4 steps.
class JobHistoryTest : public testing::Test {
 protected:
  JobHistoryTest() {
    jv1::SweepRecord sweep;
    jv1::SubmittedJob submitted;
    submitted.set_sweep_id(1);
    submitted.mutable_spec()->set_name("name");
    jv1::JobProgress progress;
    progress.set_state(hydra::v1::JOB_STATE_RUNNING);
    for (int job : {1, 2}) {
      sweep.add_job_ids(job);
      Put(kSubmittedTable, job, 0, submitted);
      Put(kProgressTable, job, 0, progress);
    }
    Put(kSweepsTable, 1, 0, sweep);
    hydra::v1::StepMetrics step;
    for (int i = 0; i < 4; ++i) {
      step.set_step(i);
      Put(kStepsTable, 2, i, step);
    }
    progress.set_state(hydra::v1::JOB_STATE_COMPLETED);
    progress.mutable_ended_at()->set_seconds(5);
    *progress.mutable_newest_step() = step;
    Put(kProgressTable, 2, 0, progress);
  }

  void Put(int table, int64_t a, int64_t b,
           const google::protobuf::MessageLite& value) {
    EXPECT_TRUE(
        jobs_.Apply({MakePut(table, a, b, value.SerializeAsString())}).ok());
  }

  MemoryRecordStore jobs_;
  const JobHistory history_{&jobs_};
};

TEST_F(JobHistoryTest, TellsOfAnEndedJobWithTheNewestSteps) {
  const auto detail = history_.Find(JobId(2), /*max_steps=*/3);
  ASSERT_TRUE(detail.ok()) << detail.status();
  EXPECT_EQ(detail->status().job_id(), "j2");
  EXPECT_EQ(detail->status().state(), hydra::v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(detail->spec().name(), "name");
  ASSERT_EQ(detail->steps_size(), 3);
  EXPECT_EQ(detail->steps(0).step(), 1);
  EXPECT_EQ(detail->steps(2).step(), 3);
}

TEST_F(JobHistoryTest, ReadsNoStepsWithoutNeed) {
  // A record of a step that cannot be read is in nobody's way.
  ASSERT_TRUE(jobs_.Apply({MakePut(kStepsTable, 2, 1, "\xff\xff")}).ok());
  const auto detail = history_.Find(JobId(2), /*max_steps=*/0);
  ASSERT_TRUE(detail.ok()) << detail.status();
  EXPECT_EQ(detail->steps_size(), 0);
  EXPECT_EQ(detail->status().state(), hydra::v1::JOB_STATE_COMPLETED);
  EXPECT_TRUE(absl::IsDataLoss(history_.Find(JobId(2), 3).status()));
}

TEST_F(JobHistoryTest, AddsTheStepsThatARunningJobHasOnTheDiskAlone) {
  hydra::v1::StepMetrics step;
  for (int i = 0; i < 30'000; ++i) {
    step.set_step(i);
    Put(kStepsTable, 1, i, step);
  }
  hydra::v1::JobDetail detail;
  for (int i : {25'000, 25'001}) detail.add_steps()->set_step(i);
  ASSERT_TRUE(history_.AddOlderSteps(JobId(1), 1000, detail).ok());
  ASSERT_EQ(detail.steps_size(), 1000);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(detail.steps(i).step(), 25'002 - 1000 + i);
  }
  ASSERT_TRUE(history_.AddOlderSteps(JobId(1), 1 << 30, detail).ok());
  EXPECT_EQ(detail.steps_size(), 25'002);
  EXPECT_EQ(detail.steps(0).step(), 0);
}

TEST_F(JobHistoryTest, AddsNoStepsThatTheJobWillMakeAgain) {
  hydra::v1::StepMetrics step;
  for (int i = 0; i < 9; ++i) {
    step.set_step(i);
    Put(kStepsTable, 1, i, step);
  }
  hydra::v1::JobDetail detail;
  detail.mutable_status()->set_step(5);
  ASSERT_TRUE(history_.AddOlderSteps(JobId(1), 1000, detail).ok());
  EXPECT_EQ(detail.steps_size(), 5);
}

TEST_F(JobHistoryTest, ReadsStepsBetweenTwo) {
  const auto steps = history_.StepsBetween(JobId(2), 1, 3);
  ASSERT_TRUE(steps.ok()) << steps.status();
  ASSERT_EQ(steps->size(), 2);
  EXPECT_EQ(steps->Get(0).step(), 1);
  EXPECT_EQ(steps->Get(1).step(), 2);
  // Those that are not there are not there.
  EXPECT_EQ(history_.StepsBetween(JobId(2), 3, 25'000)->size(), 1);
  EXPECT_EQ(history_.StepsBetween(JobId(2), 3, 3)->size(), 0);
  EXPECT_EQ(history_.StepsBetween(JobId(9), 0, 9)->size(), 0);
}

TEST_F(JobHistoryTest, ARunningJobIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(history_.Find(JobId(1), 0).status()));
  EXPECT_TRUE(absl::IsNotFound(history_.Find(JobId(3), 0).status()));
}

TEST_F(JobHistoryTest, TellsWhatWasSubmittedWhetherTheJobHasEndedOrNot) {
  for (int job : {1, 2}) {
    const auto detail = history_.FindSubmitted(JobId(job));
    ASSERT_TRUE(detail.ok()) << detail.status();
    EXPECT_EQ(detail->spec().name(), "name");
    EXPECT_EQ(detail->output_path(), absl::StrCat("/j", job, "-name"));
  }
  EXPECT_TRUE(absl::IsNotFound(history_.FindSubmitted(JobId(3)).status()));
}

TEST_F(JobHistoryTest, KnowsTheJobsOfASweep) {
  EXPECT_EQ(*history_.JobsOf(SweepId(1)),
            (std::vector<JobId>{JobId(1), JobId(2)}));
  EXPECT_TRUE(absl::IsNotFound(history_.JobsOf(SweepId(2)).status()));
}

}  // namespace
}  // namespace hydra
