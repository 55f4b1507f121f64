#include "scheduler/runtime/read_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "common/protocol/task_format.h"
#include "common/status/proto_time.h"
#include "scheduler/runtime/testing/read_model_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReadModelTest : public ReadModelFixture {
 protected:
  static std::vector<JobId> IdsOf(
      const std::vector<ReadModel::EntryPtr>& entries) {
    std::vector<JobId> ids;
    for (const ReadModel::EntryPtr& entry : entries) ids.push_back(entry->job);
    return ids;
  }
  static std::vector<JobId> Jobs(const std::vector<uint64_t>& ids) {
    std::vector<JobId> jobs;
    for (uint64_t id : ids) jobs.push_back(JobId(id));
    return jobs;
  }
  static journal::v1::WorkerProcess Process() {
    journal::v1::WorkerProcess process;
    process.set_pid(1);
    process.set_session("1");
    return process;
  }
  static worker::v1::WorkerReport Report(uint64_t sequence) {
    worker::v1::WorkerReport report;
    report.set_session("1");
    report.set_sequence(sequence);
    report.set_task_format(kTaskFormat);
    return report;
  }
};

TEST_F(ReadModelTest, CountsItsJobsByOwnerAndState) {
  using ::testing::Pair;
  const SweepId sweep = Submit(3);
  EXPECT_THAT(model_.job_meter().jobs(),
              ElementsAre(Pair(Pair(Caller(), v1::JOB_STATE_PENDING), 3)));
  Cancel({JobId(2)});
  EXPECT_THAT(model_.job_meter().jobs(),
              ElementsAre(Pair(Pair(Caller(), v1::JOB_STATE_PENDING), 2),
                          Pair(Pair(Caller(), v1::JOB_STATE_CANCELLED), 1)));
  Cancel({JobId(1), JobId(3)});
  ForgetEnded(sweep);
  EXPECT_THAT(model_.job_meter().jobs(), IsEmpty());
}

TEST_F(ReadModelTest, AnEntryStaysAsItIsWhenItsJobChanges) {
  EXPECT_EQ(model_.Find(JobId(1)), nullptr);
  const SweepId sweep = Submit(1);
  const ReadModel::EntryPtr before = model_.Find(JobId(1));
  ASSERT_NE(before, nullptr);
  EXPECT_EQ(before->sweep, sweep);
  Cancel({JobId(1)});
  const ReadModel::EntryPtr after = model_.Find(JobId(1));
  EXPECT_EQ(before->state, v1::JOB_STATE_PENDING);
  EXPECT_FALSE(before->ended);
  EXPECT_EQ(before->Status().state(), v1::JOB_STATE_PENDING);
  EXPECT_EQ(after->state, v1::JOB_STATE_CANCELLED);
  EXPECT_TRUE(after->ended);
  EXPECT_EQ(after->Status().job_id(), "j1");
  EXPECT_EQ(after->Status().state(), v1::JOB_STATE_CANCELLED);
  EXPECT_GT(after->revision, before->revision);
  EXPECT_EQ(after->revision, model_.revision());
}

TEST_F(ReadModelTest, AnEntrySaysWhoseItIsAndSinceWhenItsStateIs) {
  Submit(1, Caller{1000});
  const ReadModel::EntryPtr before = model_.Find(JobId(1));
  EXPECT_EQ(before->owner, Caller{1000});
  EXPECT_EQ(before->project_group, std::nullopt);
  ExplainWaits();
  const ReadModel::EntryPtr after = model_.Find(JobId(1));
  ASSERT_GT(after->revision, before->revision);
  EXPECT_EQ(after->state, before->state);
  EXPECT_EQ(after->state_revision, before->state_revision);
  Cancel({JobId(1)});
  const ReadModel::EntryPtr cancelled = model_.Find(JobId(1));
  EXPECT_GT(cancelled->state_revision, after->revision);
}

TEST_F(ReadModelTest, WhatDetailsAloneShowIsNoChangeOfTheStatus) {
  Submit(2);
  Cancel({JobId(1)});
  const ReadModel::EntryPtr before = model_.Find(JobId(1));
  EXPECT_FALSE(before->summary_only);
  // One ended job keeps its steps.
  Cancel({JobId(2)});
  const ReadModel::EntryPtr after = model_.Find(JobId(1));
  EXPECT_TRUE(after->summary_only);
  EXPECT_EQ(after->revision, before->revision);
  EXPECT_EQ(IdsOf(model_.ChangedAfter(before->revision)), Jobs({2}));
  EXPECT_FALSE(model_.Find(JobId(2))->summary_only);
}

TEST_F(ReadModelTest, AnEntryHasWhatItsJobsTasksMade) {
  Core::Options options = Options();
  options.devices = {{"cpu:0", 1 << 30, 1}};
  Core core(options, &policy_, &journal_);
  ReadModel model;
  core.WorkerStarted(WorkerId(1), Process());
  core.WorkerReported(WorkerId(1), Report(1), now_);
  core.Recorded(core.Submit({SmallJob(1)}, {}, now_)->sequence);
  core.EndTurn(now_);
  model.Update(core, now_);
  EXPECT_EQ(model.Find(JobId(1))->parts, nullptr);

  worker::v1::WorkerReport report = Report(2);
  worker::v1::TaskReport* prepared = report.add_reports();
  for (const Action& action : core.TakeActions()) {
    const auto* message = std::get_if<WorkerMessage>(&action);
    if (message == nullptr || message->desired.tasks().empty()) continue;
    prepared->set_task_id(message->desired.tasks(0).task_id());
  }
  prepared->mutable_prepare()->add_splits()->set_split(worker::v1::SPLIT_TRAIN);
  prepared->mutable_prepare()->add_warnings("7 bytes are no UTF-8");
  core.WorkerReported(WorkerId(1), report, now_);
  core.EndTurn(now_);
  model.Update(core, now_);
  const ReadModel::EntryPtr entry = model.Find(JobId(1));
  ASSERT_NE(entry->parts, nullptr);
  v1::JobDetail detail;
  AddParts(*entry->parts, /*max_steps=*/1, detail);
  EXPECT_EQ(detail.totals().tasks(), 1);
  EXPECT_THAT(detail.warnings(), ElementsAre("7 bytes are no UTF-8"));
}

TEST_F(ReadModelTest, ASweepHasEndedOnceAllItsJobsHave) {
  EXPECT_FALSE(model_.StateOf(SweepId(1)).known);
  const SweepId sweep = Submit(2);
  Submit(1);
  Cancel({JobId(2)});
  EXPECT_TRUE(model_.StateOf(sweep).known);
  EXPECT_FALSE(model_.StateOf(sweep).all_ended);
  Cancel({JobId(1)});
  EXPECT_TRUE(model_.StateOf(sweep).all_ended);
  EXPECT_FALSE(model_.StateOf(SweepId(2)).all_ended);
}

TEST_F(ReadModelTest, AListGoesOnAfterItsPlaceNewestSweepFirst) {
  const SweepId old = Submit(2);
  const SweepId young = Submit(3);
  EXPECT_EQ(IdsOf(model_.After(std::nullopt, std::nullopt)),
            Jobs({3, 4, 5, 1, 2}));
  EXPECT_EQ(IdsOf(model_.After({{young, JobId(4)}}, std::nullopt)),
            Jobs({5, 1, 2}));
  EXPECT_EQ(IdsOf(model_.After(std::nullopt, old)), Jobs({1, 2}));
  EXPECT_EQ(IdsOf(model_.After({{young, JobId(4)}}, young)), Jobs({5}));
  EXPECT_EQ(IdsOf(model_.After({{old, JobId(2)}}, std::nullopt)), Jobs({}));
  // It goes on even where its place is gone.
  Cancel(core_.jobs().JobsOf(young));
  ForgetEnded(young);
  EXPECT_EQ(IdsOf(model_.After({{young, JobId(4)}}, std::nullopt)),
            Jobs({1, 2}));
}

TEST_F(ReadModelTest, ChangesAreEachJobsNewestByRevision) {
  Submit(3);
  const uint64_t seen = model_.revision();
  EXPECT_THAT(model_.ChangedAfter(seen), IsEmpty());
  Cancel({JobId(3)});
  Cancel({JobId(2)});
  EXPECT_EQ(IdsOf(model_.ChangedAfter(seen)), Jobs({3, 2}));
  EXPECT_EQ(IdsOf(model_.ChangedAfter(0)), Jobs({1, 3, 2}));
}

TEST_F(ReadModelTest, AForgottenSweepIsGone) {
  const SweepId sweep = Submit(2);
  Submit(1);
  Cancel(core_.jobs().JobsOf(sweep));
  ForgetEnded(sweep);
  EXPECT_EQ(model_.Find(JobId(1)), nullptr);
  EXPECT_THAT(model_.JobsOf(sweep), IsEmpty());
  EXPECT_EQ(IdsOf(model_.ChangedAfter(0)), Jobs({3}));
}

TEST_F(ReadModelTest, VeryManyChangesComeInPieces) {
  const size_t jobs = 2 * ReadModel::kMostEntries + 7;
  const auto submitted =
      core_.Submit(std::vector<NewJob>(jobs, SmallJob(1)), {}, now_);
  for (Journal::Entry& entry : journal_.TakeEntries()) {
    core_.Recorded(entry.sequence);
  }
  const uint64_t noted = core_.jobs().changes_noted();
  model_.Update(core_, now_);
  EXPECT_TRUE(core_.jobs().has_changes());
  EXPECT_FALSE(model_.Settle(noted, absl::ZeroDuration()));
  Settle();
  EXPECT_TRUE(model_.Settle(noted, absl::ZeroDuration()));
  EXPECT_THAT(model_.JobsOf(submitted->sweep), SizeIs(jobs));
  EXPECT_THAT(model_.After(std::nullopt, std::nullopt),
              SizeIs(ReadModel::kMostEntries));
  EXPECT_THAT(model_.ChangedAfter(0), SizeIs(ReadModel::kMostEntries));
}

TEST_F(ReadModelTest, ThatTimeGoesByIsNoChangeOfAWorker) {
  Core::Options options = Options();
  options.devices = {{"cpu:0", 1 << 30, 1}};
  Core core(options, &policy_, &journal_);
  ReadModel model;
  model.Update(core, now_);
  const ReadModel::Workers started = model.workers();
  ASSERT_THAT(*started.statuses, SizeIs(1));

  core.WorkerStarted(WorkerId(1), Process());
  core.WorkerReported(WorkerId(1), Report(1), now_);
  model.Update(core, now_);
  const ReadModel::Workers attached = model.workers();
  EXPECT_NE(attached.revision, started.revision);
  EXPECT_EQ(attached.statuses->at(0).state(), v1::WORKER_STATE_READY);

  model.Update(core, now_ + absl::Seconds(5));
  EXPECT_EQ(model.workers().revision, attached.revision);
  EXPECT_EQ(FromProto(model.workers().statuses->at(0).attached()),
            absl::Seconds(5));
  // What was read stays as it was.
  EXPECT_EQ(FromProto(attached.statuses->at(0).attached()),
            absl::ZeroDuration());
}

}  // namespace
}  // namespace hydra
