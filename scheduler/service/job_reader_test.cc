// The read model, and what reads it: lists and watchers.

#include "scheduler/service/job_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "scheduler/core/testing/small_job.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/service/watch_cursor.h"
#include "scheduler/storage/job_history.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A core without devices, whose jobs wait, and everything that reads it.
class ReadModelTest : public ::testing::Test {
 protected:
  static Core::Options Options() {
    Core::Options options;
    options.pool_bytes = 1 << 30;
    options.kept_ended_jobs = 0;
    return options;
  }

  // Turns of the core until nothing is left to do.
  void Settle() {
    do {
      now_ += absl::Seconds(1);
      core_.EndTurn(now_);
      // As hydrad ends a turn.
      (void)journal_.pool_changes();
      for (Journal::Entry& entry : journal_.TakeEntries()) {
        ASSERT_TRUE(records_.Apply(entry.changes).ok());
        core_.Recorded(entry.sequence);
      }
      model_.Update(core_, now_);
    } while (core_.has_more_work() || core_.jobs().has_changes());
  }

  SweepId Submit(int jobs) {
    const auto submitted =
        core_.Submit(std::vector<NewJob>(jobs, SmallJob(1)), {}, now_);
    EXPECT_TRUE(submitted.ok()) << submitted.status();
    Settle();
    return submitted->sweep;
  }

  void Cancel(const std::vector<JobId>& jobs) {
    core_.Cancel(jobs, false, now_);
    Settle();
  }

  std::vector<std::string> Listed(const v1::ListJobsRequest& request,
                                  std::string* next = nullptr) {
    v1::ListJobsResponse response;
    const absl::Status listed = reader_.List(Caller(), request, &response);
    EXPECT_TRUE(listed.ok()) << listed;
    std::vector<std::string> ids;
    for (const v1::JobStatus& job : response.jobs())
      ids.push_back(job.job_id());
    if (next != nullptr) *next = response.next_page_token();
    return ids;
  }

  absl::Time now_ = absl::FromUnixSeconds(1000);
  MemoryRecordStore records_;
  ShardedLrtf policy_;
  Journal journal_;
  Core core_{Options(), &policy_, &journal_};
  // Not started: what is tested does not ask it.
  CoreThread core_thread_;
  ReadModel model_;
  const JobHistory history_{&records_};
  const JobReader reader_{&core_thread_, &model_, &history_};
};

TEST_F(ReadModelTest, ListsTheNewestSweepFirstAPageAtATime) {
  Submit(2);
  Submit(3);
  v1::ListJobsRequest request;
  EXPECT_THAT(Listed(request), ElementsAre("j3", "j4", "j5", "j1", "j2"));
  request.set_page_size(2);
  std::string next;
  EXPECT_THAT(Listed(request, &next), ElementsAre("j3", "j4"));
  request.set_page_token(next);
  // A newer sweep does not shift the pages.
  Submit(1);
  EXPECT_THAT(Listed(request, &next), ElementsAre("j5", "j1"));
  request.set_page_token(next);
  EXPECT_THAT(Listed(request, &next), ElementsAre("j2"));
  EXPECT_EQ(next, "");
}

TEST_F(ReadModelTest, ListsOneSweepAndTheWantedStates) {
  const SweepId first = Submit(3);
  Submit(2);
  core_.Cancel({JobId(2)}, false, now_);
  Settle();
  v1::ListJobsRequest request;
  request.set_sweep_id(SweepName(first));
  EXPECT_THAT(Listed(request), ElementsAre("j1", "j2", "j3"));
  request.add_states(v1::JOB_STATE_CANCELLED);
  EXPECT_THAT(Listed(request), ElementsAre("j2"));
  request.set_states(0, v1::JOB_STATE_RUNNING);
  EXPECT_THAT(Listed(request), IsEmpty());
}

TEST_F(ReadModelTest, ListsASweepThatTheCoreHasForgotten) {
  const SweepId sweep = Submit(3);
  Cancel(core_.jobs().JobsOf(sweep));
  core_.Tick(now_ + absl::Hours(1));
  Settle();
  ASSERT_FALSE(model_.StateOf(sweep).known);
  v1::ListJobsRequest request;
  EXPECT_THAT(Listed(request), IsEmpty());
  request.set_sweep_id(SweepName(sweep));
  request.set_page_size(2);
  std::string next;
  EXPECT_THAT(Listed(request, &next), ElementsAre("j1", "j2"));
  request.set_page_token(next);
  EXPECT_THAT(Listed(request, &next), ElementsAre("j3"));
  EXPECT_EQ(next, "");
  request.set_sweep_id("s9");
  v1::ListJobsResponse none;
  EXPECT_EQ(reader_.List(Caller(), request, &none).code(),
            absl::StatusCode::kNotFound);
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
}

TEST_F(ReadModelTest, AWatcherIsToldAllThenChangesThenTheEnd) {
  const SweepId sweep = Submit(ReadModel::kMostEntries + 3);
  Submit(1);
  WatchCursor cursor(&model_, &reader_, Caller(), sweep);
  v1::WatchResponse first;
  ASSERT_EQ(*cursor.Next(&first), WatchCursor::State::kMore);
  EXPECT_EQ(first.jobs_size(), ReadModel::kMostEntries);
  v1::WatchResponse rest;
  ASSERT_EQ(*cursor.Next(&rest), WatchCursor::State::kCaughtUp);
  EXPECT_EQ(rest.jobs_size(), 3);
  v1::WatchResponse nothing;
  ASSERT_EQ(*cursor.Next(&nothing), WatchCursor::State::kCaughtUp);
  EXPECT_EQ(nothing.jobs_size(), 0);
  // Of the other sweep nothing is told.
  Cancel({JobId(2), JobId(ReadModel::kMostEntries + 4)});
  v1::WatchResponse changed;
  ASSERT_EQ(*cursor.Next(&changed), WatchCursor::State::kCaughtUp);
  ASSERT_EQ(changed.jobs_size(), 1);
  EXPECT_EQ(changed.jobs(0).job_id(), "j2");
  EXPECT_EQ(changed.jobs(0).state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(ReadModelTest, AWatcherThatReadsSlowlyIsToldHowForgottenJobsEnded) {
  const SweepId sweep = Submit(3);
  WatchCursor of_sweep(&model_, &reader_, Caller(), sweep);
  WatchCursor of_job(&model_, &reader_, Caller(), JobId(2));
  v1::WatchResponse before;
  ASSERT_EQ(*of_sweep.Next(&before), WatchCursor::State::kCaughtUp);
  ASSERT_EQ(*of_job.Next(&before), WatchCursor::State::kCaughtUp);
  Cancel(core_.jobs().JobsOf(sweep));
  core_.Tick(now_ + absl::Hours(1));
  Settle();
  ASSERT_FALSE(model_.StateOf(sweep).known);
  v1::WatchResponse sweep_ended;
  ASSERT_EQ(*of_sweep.Next(&sweep_ended), WatchCursor::State::kEnded);
  EXPECT_EQ(sweep_ended.jobs_size(), 3);
  v1::WatchResponse job_ended;
  ASSERT_EQ(*of_job.Next(&job_ended), WatchCursor::State::kEnded);
  ASSERT_EQ(job_ended.jobs_size(), 1);
  EXPECT_EQ(job_ended.jobs(0).state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(ReadModelTest, AWatcherOfWhatThereIsNotIsToldSo) {
  v1::WatchResponse response;
  WatchCursor cursor(&model_, &reader_, Caller(), SweepId(3));
  EXPECT_EQ(cursor.Next(&response).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hydra
