#include "scheduler/core/job_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <variant>
#include <vector>

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JobBookTest : public ::testing::Test {
 protected:
  void AddSweep(uint64_t sweep, std::vector<uint64_t> ids) {
    JobBook::Jobs jobs;
    for (uint64_t id : ids) jobs[JobId(id)].id = JobId(id);
    book_.Add(SweepId(sweep), std::move(jobs));
  }

  Journal journal_;
  Actions actions_;
  JobBook book_{&journal_, &actions_};
};

TEST_F(JobBookTest, ClientsHearOfNewJobsAndOfChangedOnesOnceEach) {
  AddSweep(1, {1, 2, 3});
  EXPECT_THAT(book_.TakeChanges(2).jobs, ElementsAre(JobId(1), JobId(2)));
  EXPECT_TRUE(book_.has_changes());
  book_.Touch(book_.At(JobId(1)));
  book_.Touch(book_.At(JobId(1)));
  EXPECT_THAT(book_.TakeChanges(9).jobs, ElementsAre(JobId(3), JobId(1)));
  EXPECT_FALSE(book_.has_changes());
}

TEST_F(JobBookTest, AForgottenSweepIsToldAfterTheChangesOfItsJobs) {
  AddSweep(1, {1, 2});
  EXPECT_THAT(book_.Forget(SweepId(1)), ElementsAre(JobId(1), JobId(2)));
  EXPECT_THAT(book_.Sweeps(), IsEmpty());
  EXPECT_THAT(book_.TakeChanges(1).forgotten, IsEmpty());
  EXPECT_THAT(book_.TakeChanges(1).forgotten, ElementsAre(SweepId(1)));
}

TEST_F(JobBookTest, ClientsHearOfADeletedJobAndItsSweepGoesWithTheLastOne) {
  JobBook::Jobs jobs;
  for (uint64_t id : {1, 2}) {
    jobs[JobId(id)].id = JobId(id);
    jobs[JobId(id)].sweep = SweepId(1);
  }
  book_.Add(SweepId(1), std::move(jobs));
  book_.TakeChanges(9);
  book_.Delete(JobId(1));
  EXPECT_THAT(book_.TakeChanges(9).jobs, ElementsAre(JobId(1)));
  EXPECT_EQ(book_.Find(JobId(1)), nullptr);
  EXPECT_THAT(book_.JobsOf(SweepId(1)), ElementsAre(JobId(2)));
  book_.Delete(JobId(2));
  EXPECT_FALSE(book_.Knows(SweepId(1)));
}

TEST_F(JobBookTest, AChangeGoesToTheJournalAndATouchDoesNot) {
  AddSweep(1, {1});
  book_.Touch(book_.At(JobId(1)));
  EXPECT_THAT(journal_.pool_changes(), IsEmpty());
  book_.NoteChange(book_.At(JobId(1)));
  EXPECT_THAT(journal_.pool_changes(), SizeIs(1));
}

TEST_F(JobBookTest, ALineOfTheLogIsAnActionAndNamesItsTask) {
  AddSweep(1, {1});
  OutstandingTask task;
  task.id = TaskId(7);
  task.task.step = 3;
  book_.Log(book_.At(JobId(1)), "W", "text", absl::FromUnixSeconds(5), &task);
  ASSERT_THAT(actions_, SizeIs(1));
  const LineForJob& kept = std::get<LineForJob>(actions_[0]);
  EXPECT_EQ(kept.job, JobId(1));
  EXPECT_EQ(kept.line.task_id(), 7);
  EXPECT_EQ(kept.line.step(), 3);
  EXPECT_EQ(kept.line.text(), "text");
  EXPECT_EQ(kept.line.time().seconds(), 5);
}

}  // namespace
}  // namespace hydra
