#include "scheduler/core/job_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JobArchiveTest : public ::testing::Test {
 protected:
  JobArchiveTest() {
    options_.kept_ended_jobs = 1;
    options_.kept_step_lists = 1;
  }

  // Jobs `first` to `last`.
  void AddSweep(uint64_t sweep, uint64_t first, uint64_t last) {
    JobBook::Jobs jobs;
    for (uint64_t id = first; id <= last; ++id) {
      Job& job = jobs[JobId(id)];
      job.id = JobId(id);
      job.sweep = SweepId(sweep);
    }
    book_.Add(SweepId(sweep), std::move(jobs));
  }
  bool End(uint64_t id) {
    Job& job = book_.At(JobId(id));
    archive_.Add(job);
    // It is a change that jobs.db must have.
    journal_.JobChanged(job.id, {});
    return archive_.NoteEnded(job.sweep);
  }
  void Record() {
    (void)journal_.pool_changes();
    for (const Journal::Entry& entry : journal_.TakeEntries()) {
      journal_.Recorded(entry.sequence);
    }
  }

  CoreOptions options_;
  Journal journal_;
  Actions actions_;
  JobBook book_{&journal_, &actions_};
  JobArchive archive_{&options_, &book_, &journal_};
};

TEST_F(JobArchiveTest, ASweepHasEndedWithTheLastOfItsJobs) {
  AddSweep(1, 1, 2);
  EXPECT_FALSE(End(1));
  EXPECT_TRUE(End(2));
}

TEST_F(JobArchiveTest, AJobOfALostSweepEndsNone) {
  Job& job = book_.Restore(JobId(9));
  job.id = JobId(9);
  job.sweep = SweepId(7);
  EXPECT_FALSE(End(9));
}

TEST_F(JobArchiveTest, OnlyTheNewestEndedJobsKeepTheirSteps) {
  AddSweep(1, 1, 2);
  End(1);
  EXPECT_FALSE(book_.At(JobId(1)).summary_only);
  End(2);
  EXPECT_TRUE(book_.At(JobId(1)).summary_only);
  EXPECT_FALSE(book_.At(JobId(2)).summary_only);
}

TEST_F(JobArchiveTest, TheOldestSweepGoesOnceJobsDbHasItsEnd) {
  AddSweep(1, 1, 2);
  AddSweep(2, 3, 3);
  for (uint64_t id : {1, 2, 3}) End(id);
  archive_.ForgetOldSweeps(JobId());
  EXPECT_THAT(book_.Sweeps(), ElementsAre(SweepId(2), SweepId(1)));
  Record();
  archive_.ForgetOldSweeps(JobId());
  EXPECT_THAT(book_.Sweeps(), ElementsAre(SweepId(2)));
  // Whoever holds a reference to a job of it still may.
  EXPECT_NE(book_.Find(JobId(1)), nullptr);
  ASSERT_TRUE(archive_.has_more_work());
  archive_.FreeSomeJobs();
  EXPECT_EQ(book_.Find(JobId(1)), nullptr);
  EXPECT_FALSE(archive_.has_more_work());
}

TEST_F(JobArchiveTest, ASweepWithAJobInUseStays) {
  AddSweep(1, 1, 1);
  AddSweep(2, 2, 2);
  for (uint64_t id : {1, 2}) End(id);
  Record();
  archive_.ForgetOldSweeps(/*in_use=*/JobId(1));
  EXPECT_THAT(book_.JobsOf(SweepId(1)), ElementsAre(JobId(1)));
  archive_.ForgetOldSweeps(JobId());
  EXPECT_THAT(book_.JobsOf(SweepId(1)), IsEmpty());
}

}  // namespace
}  // namespace hydra
