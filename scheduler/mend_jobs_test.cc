#include "scheduler/mend_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class MendJobsTest : public testing::Test {
 protected:
  // Sweep 5 with the jobs 1 and 2, each with a step and a checkpoint.
  MendJobsTest() {
    jv1::SweepRecord sweep;
    sweep.set_request_id("request");
    sweep.set_caller_user(1000);
    for (int job : {1, 2}) {
      sweep.add_job_ids(job);
      jv1::SubmittedJob submitted;
      submitted.set_sweep_id(5);
      Put(kSubmittedTable, job, 0, submitted.SerializeAsString());
      Put(kProgressTable, job, 0, "");
      Put(kStepsTable, job, 3, "");
      Put(kCheckpointsTable, job, CheckpointNumber(3, false), "");
    }
    Put(kSweepsTable, 5, 0, sweep.SerializeAsString());
    EXPECT_TRUE(WriteNumber(jobs_, kJobsMetaTable, kStarts, 7).ok());
  }

  void Put(int table, int64_t a, int64_t b, std::string value) {
    EXPECT_TRUE(jobs_.Apply({MakePut(table, a, b, std::move(value))}).ok());
  }
  void Lose(int table, int64_t a) {
    EXPECT_TRUE(jobs_.Apply({MakeErase(table, a, 0)}).ok());
  }
  int RecordCount(int table) {
    int count = 0;
    EXPECT_TRUE(jobs_
                    .ForEach(table,
                             [&](int64_t, int64_t, absl::string_view) {
                               ++count;
                               return absl::OkStatus();
                             })
                    .ok());
    return count;
  }

  MemoryRecordStore jobs_;
};

TEST_F(MendJobsTest, LeavesRecordsThatAgree) {
  const auto text = MendJobs(jobs_);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "");
  EXPECT_EQ(RecordCount(kProgressTable), 2);
}

TEST_F(MendJobsTest, DropsWhatBelongsToALostSubmission) {
  Lose(kSubmittedTable, 1);
  EXPECT_FALSE(ReadJobs(jobs_).ok());
  const auto text = MendJobs(jobs_);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(*text, HasSubstr("job j1 is lost"));
  const auto recovered = ReadJobs(jobs_);
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->jobs.size(), 1);
  EXPECT_EQ(recovered->jobs.count(JobId(2)), 1);
  EXPECT_THAT(recovered->sweeps.at(SweepId(5)).job_ids(), ElementsAre(2));
  EXPECT_EQ(recovered->sweeps.at(SweepId(5)).request_id(), "request");
  EXPECT_EQ(recovered->sweeps.at(SweepId(5)).caller_user(), 1000);
  EXPECT_EQ(RecordCount(kStepsTable), 1);
  EXPECT_EQ(RecordCount(kCheckpointsTable), 1);
}

TEST_F(MendJobsTest, ASweepWithoutJobsGoes) {
  Lose(kSubmittedTable, 1);
  Lose(kSubmittedTable, 2);
  ASSERT_TRUE(MendJobs(jobs_).ok());
  const auto recovered = ReadJobs(jobs_);
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_TRUE(recovered->jobs.empty());
  EXPECT_TRUE(recovered->sweeps.empty());
}

TEST_F(MendJobsTest, WhatItsUserDeletedIsNotLost) {
  for (int job : {1, 2}) {
    Lose(kSubmittedTable, job);
    Lose(kProgressTable, job);
    EXPECT_TRUE(jobs_
                    .Apply({MakeEraseFrom(kStepsTable, job, 0),
                            MakeEraseFrom(kCheckpointsTable, job, 0)})
                    .ok());
    Put(kJobsMetaTable, job, kDeletedJob, "deleted");
  }
  const auto text = MendJobs(jobs_);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "");
  const auto recovered = ReadJobs(jobs_);
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_THAT(recovered->sweeps.at(SweepId(5)).job_ids(), ElementsAre(1, 2));
}

TEST_F(MendJobsTest, MakesALostSweepOfItsJobs) {
  Lose(kSweepsTable, 5);
  const auto text = MendJobs(jobs_);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_THAT(*text, HasSubstr("sweep s5"));
  const auto recovered = ReadJobs(jobs_);
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_THAT(recovered->sweeps.at(SweepId(5)).job_ids(), ElementsAre(1, 2));
}

TEST_F(MendJobsTest, ALostNumberOfStartsIsSetHigherThanItWas) {
  uint64_t before = 7;
  for (int loss = 0; loss < 2; ++loss) {
    EXPECT_TRUE(jobs_.Apply({MakeErase(kJobsMetaTable, 0, kStarts)}).ok());
    const auto text = MendJobs(jobs_);
    ASSERT_TRUE(text.ok()) << text.status();
    EXPECT_THAT(*text, HasSubstr("number of starts"));
    const uint64_t starts = *ReadNumber(jobs_, kJobsMetaTable, kStarts);
    EXPECT_GE(starts, 1'000'000);
    EXPECT_NE(starts, before);
    before = starts;
  }
}

TEST_F(MendJobsTest, AJobMayLoseItsProgress) {
  Lose(kProgressTable, 1);
  ASSERT_TRUE(MendJobs(jobs_).ok());
  const auto recovered = ReadJobs(jobs_);
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->jobs.size(), 2);
}

}  // namespace
}  // namespace hydra
