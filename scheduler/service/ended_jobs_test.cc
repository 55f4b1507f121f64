#include "scheduler/service/ended_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/status/error_details.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"
#include "scheduler/runtime/testing/read_model_fixture.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class EndedJobsTest : public ReadModelFixture {
 protected:
  const JobHistory history_{&records_};
};

TEST_F(EndedJobsTest, AJobThatHasNotEndedIsToldTheRemedy) {
  Submit(2);
  Cancel({JobId(1)});
  const auto jobs = ReadEndedJobs(model_, history_, {JobId(1), JobId(2)});
  EXPECT_EQ(jobs.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(jobs.status().message()),
              HasSubstr("j2 has not ended; cancel it first: hydra cancel j2"));
  EXPECT_EQ(ReasonOf(jobs.status()), kJobNotEnded);
}

TEST_F(EndedJobsTest, OneThatTheCoreForgotComesWithItsCheckpointsAndOwner) {
  const SweepId sweep = Submit(1, Caller{1000});
  Cancel({JobId(1)});
  ForgetEnded(sweep);
  jv1::CheckpointRecord checkpoint;
  checkpoint.mutable_info()->set_step(4);
  checkpoint.mutable_info()->set_path("/out/checkpoints/step-4");
  ASSERT_TRUE(records_
                  .Apply({MakePut(kCheckpointsTable, 1,
                                  CheckpointNumber(checkpoint.info()),
                                  checkpoint.SerializeAsString())})
                  .ok());
  const auto jobs = ReadEndedJobs(model_, history_, {JobId(1)});
  ASSERT_TRUE(jobs.ok()) << jobs.status();
  ASSERT_THAT(*jobs, SizeIs(1));
  EXPECT_EQ(jobs->front().id, JobId(1));
  EXPECT_THAT(jobs->front().checkpoints,
              ElementsAre("/out/checkpoints/step-4"));
  EXPECT_EQ(jobs->front().owner, 1000);
}

TEST_F(EndedJobsTest, OneThatIsNotThereIsNotFound) {
  const auto jobs = ReadEndedJobs(model_, history_, {JobId(9)});
  EXPECT_EQ(jobs.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(jobs.status()), kJobNotFound);
}

TEST_F(EndedJobsTest, SomeOfThemAreChosenByTheirIds) {
  const std::vector<EndedJob> jobs = {
      {JobId(1), {"/a"}, {}}, {JobId(2), {}, {}}, {JobId(3), {}, {}}};
  const auto some = Among(jobs, {JobId(3), JobId(1), JobId(7)});
  ASSERT_THAT(some, SizeIs(2));
  EXPECT_THAT(some[0].checkpoints, ElementsAre("/a"));
  EXPECT_EQ(some[1].id, JobId(3));
  EXPECT_THAT(Among(jobs, {}), IsEmpty());
}

// What a core with its journal and the read model make of it.
class DeleteTest : public EndedJobsTest {
 protected:
  std::vector<JobId> Delete(const std::vector<JobId>& ids) {
    std::vector<EndedJob> jobs;
    for (JobId id : ids) jobs.push_back({id, {}, {}});
    const Core::Deleted deleted = core_.Delete(jobs);
    EXPECT_EQ(deleted.sequence == 0, deleted.jobs.empty());
    Settle();
    EXPECT_GE(journal_.recorded(), deleted.sequence);
    return deleted.jobs;
  }
};

TEST_F(DeleteTest, NobodyFindsAnEndedJobAnyMore) {
  const SweepId sweep = Submit(3);
  Cancel({JobId(1), JobId(2)});
  EXPECT_THAT(Delete({JobId(1), JobId(3)}), ElementsAre(JobId(1)));
  EXPECT_EQ(model_.Find(JobId(1)), nullptr);
  EXPECT_EQ(core_.jobs().Find(JobId(1)), nullptr);
  EXPECT_THAT(model_.JobsOf(sweep), ElementsAre(JobId(2), JobId(3)));
  EXPECT_FALSE(model_.StateOf(sweep).all_ended);
  EXPECT_EQ(history_.FindSubmitted(JobId(1)).status().code(),
            absl::StatusCode::kNotFound);
  const auto listed = history_.JobsOf(sweep);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_THAT(*listed, ElementsAre(JobId(2), JobId(3)));
  core_.CheckInvariants();

  Cancel({JobId(3)});
  EXPECT_TRUE(model_.StateOf(sweep).all_ended);
}

TEST_F(DeleteTest, ASweepGoesWithTheLastOfItsJobs) {
  const SweepId sweep = Submit(2);
  Cancel({JobId(1), JobId(2)});
  EXPECT_THAT(Delete({JobId(1), JobId(2)}), SizeIs(2));
  EXPECT_FALSE(model_.StateOf(sweep).known);
  EXPECT_EQ(history_.JobsOf(sweep).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(history_.JobsOf(sweep).status()), kSweepNotFound);
  // Its turn to be forgotten comes as if it were there.
  core_.Tick(now_ + absl::Hours(1));
  Settle();
  EXPECT_THAT(model_.After(std::nullopt, std::nullopt), IsEmpty());
}

TEST_F(DeleteTest, WhatJobsDbAloneKnowsGoesWithItsCheckpoints) {
  const SweepId sweep = Submit(1);
  Cancel({JobId(1)});
  ForgetEnded(sweep);
  (void)core_.TakeActions();
  core_.Delete({{JobId(1), {"/out/checkpoints/step-4"}, 1000}});
  const Actions actions = core_.TakeActions();
  ASSERT_THAT(actions, SizeIs(2));
  const auto& removal = std::get<CheckpointRemoval>(actions[0]);
  EXPECT_EQ(removal.path, "/out/checkpoints/step-4");
  EXPECT_EQ(removal.owner, 1000);
  EXPECT_EQ(std::get<LogRemoval>(actions[1]).job, JobId(1));
  Settle();
  EXPECT_EQ(history_.FindSubmitted(JobId(1)).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(DeleteTest, IdsAreNeverGivenAgainAfterARestart) {
  const SweepId sweep = Submit(2);
  Cancel({JobId(1), JobId(2)});
  Delete({JobId(1), JobId(2)});
  const auto recovered = ReadJobs(records_);
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_THAT(recovered->jobs, IsEmpty());
  Journal journal(journal_.recorded());
  ShardedLrtf policy;
  Core next(Options(), &policy, &journal);
  ASSERT_TRUE(next.Restore(*recovered, now_).ok());
  std::vector<NewJob> jobs;
  jobs.push_back(SmallJob(1));
  const auto submitted = next.Submit(std::move(jobs), {"", "", Caller()}, now_);
  ASSERT_TRUE(submitted.ok()) << submitted.status();
  EXPECT_GT(submitted->sweep, sweep);
  (void)journal.pool_changes();
  for (Journal::Entry& entry : journal.TakeEntries()) {
    ASSERT_TRUE(records_.Apply(entry.changes).ok());
  }
  EXPECT_THAT(*history_.JobsOf(submitted->sweep), ElementsAre(JobId(3)));
}

}  // namespace
}  // namespace hydra
