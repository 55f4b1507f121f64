#include "scheduler/core/job_deletion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <variant>

#include "scheduler/core/job_move.h"
#include "scheduler/core/testing/checkpoints_fixture.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JobDeletionTest : public CheckpointsFixture {
 protected:
  bool Delete(uint64_t id, std::vector<std::string> checkpoints = {}) {
    return JobDeletion(&book_, &checkpoints_, &journal_, &actions_)
        .Delete({JobId(id), std::move(checkpoints), 1000});
  }
  static void End(Job& job) {
    RestoreState(job, v1::JOB_STATE_CANCELLED, "cancelled");
    RestorePhase(job, v1::JOB_PHASE_ENDED);
  }
  // A job that was saved once, or is just being saved, and has ended.
  Job& AddEnded(uint64_t id, bool is_written) {
    Job& job = AddAt(id, InStep(2));
    EndStep(job);
    if (is_written) Written(job.id);
    End(job);
    (void)journal_.pool_changes();
    journal_.TakeEntries();
    actions_.clear();
    return job;
  }
};

TEST_F(JobDeletionTest, AnEndedJobGoesWithItsCheckpointsItsLogAndItsRecords) {
  const Job& job = AddEnded(1, /*is_written=*/true);
  ASSERT_THAT(*job.checkpoints, SizeIs(1));
  const std::string path = job.checkpoints->at(0).info().path();
  EXPECT_TRUE(Delete(1));
  EXPECT_EQ(book_.Find(JobId(1)), nullptr);
  ASSERT_THAT(actions_, SizeIs(2));
  EXPECT_EQ(std::get<CheckpointRemoval>(actions_[0]).path, path);
  EXPECT_EQ(std::get<LogRemoval>(actions_[1]).job, JobId(1));

  // Nothing of the job is left in jobs.db but that it was there.
  (void)journal_.pool_changes();
  std::map<int, int> erased;
  for (const Journal::Entry& entry : journal_.TakeEntries()) {
    for (const journal::v1::Change& change : entry.changes) {
      EXPECT_EQ(change.a(), 1);
      if (change.kind() == journal::v1::Change::KIND_PUT) {
        EXPECT_EQ(change.table(), kJobsMetaTable);
        EXPECT_EQ(change.b(), kDeletedJob);
      } else if (change.kind() == journal::v1::Change::KIND_ERASE_FROM) {
        EXPECT_EQ(change.b(), 0);
        ++erased[change.table()];
      }
    }
  }
  for (int table : {kSubmittedTable, kProgressTable, kStepsTable,
                    kEvaluationsTable, kCheckpointsTable}) {
    EXPECT_EQ(erased[table], 1) << table;
  }
}

TEST_F(JobDeletionTest, AJobThatHasNotEndedStays) {
  AddAt(1, InStep(2));
  EXPECT_FALSE(Delete(1));
  EXPECT_NE(book_.Find(JobId(1)), nullptr);
  EXPECT_THAT(actions_, IsEmpty());
  EXPECT_THAT(journal_.pool_changes(), IsEmpty());
}

TEST_F(JobDeletionTest, AJobWhoseCheckpointIsBeingWrittenStaysUntilItIs) {
  Job& job = AddEnded(1, /*is_written=*/false);
  ASSERT_EQ(checkpoints_.writing(), job.id);
  EXPECT_FALSE(Delete(1));
  EXPECT_THAT(actions_, IsEmpty());
  Written(job.id);
  EXPECT_TRUE(Delete(1));
  EXPECT_THAT(Take<CheckpointRemoval>(), SizeIs(1));
}

TEST_F(JobDeletionTest, OneThatIsForgottenGoesWithTheCheckpointsThatItHad) {
  EXPECT_TRUE(Delete(7, {"/out/a", "/out/b"}));
  const auto removals = Take<CheckpointRemoval>();
  ASSERT_THAT(removals, SizeIs(2));
  EXPECT_EQ(removals[0].path, "/out/a");
  EXPECT_EQ(removals[1].path, "/out/b");
  EXPECT_EQ(removals[1].job, JobId(7));
  EXPECT_EQ(removals[1].owner, 1000);
}

}  // namespace
}  // namespace hydra
