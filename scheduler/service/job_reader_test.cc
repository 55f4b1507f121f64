// What reads the read model: lists and watchers.

#include "scheduler/service/job_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/runtime/testing/read_model_fixture.h"
#include "scheduler/service/watch_cursor.h"
#include "scheduler/storage/job_history.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class JobReaderTest : public ReadModelFixture {
 protected:
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

  // Not started: what is tested does not ask it.
  CoreThread core_thread_;
  const JobHistory history_{&records_};
  const JobReader reader_{&core_thread_, &model_, &history_};
};

TEST_F(JobReaderTest, ListsTheNewestSweepFirstAPageAtATime) {
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

TEST_F(JobReaderTest, ListsOneSweepAndTheWantedStates) {
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

TEST_F(JobReaderTest, ShowsWhatIsForecastToWhoeverMayReadTheJob) {
  const Caller owner{1000};
  Submit(3, owner);
  core_.Pause({JobId(2)}, now_);
  Settle();
  const absl::Time start = absl::FromUnixSeconds(2000);
  const absl::Time end = absl::FromUnixSeconds(3000);
  const JobReader reader(&core_thread_, &model_, &history_, AccessPolicy(),
                         /*names=*/nullptr,
                         [&](JobId job) -> std::optional<Forecast> {
                           if (job == JobId(3)) return std::nullopt;
                           return Forecast{start, end};
                         });
  v1::ListJobsResponse mine;
  ASSERT_TRUE(reader.List(owner, {}, &mine).ok());
  ASSERT_EQ(mine.jobs_size(), 3);
  EXPECT_EQ(mine.jobs(0).forecast_start().seconds(), 2000);
  EXPECT_EQ(mine.jobs(0).forecast_end().seconds(), 3000);
  EXPECT_FALSE(mine.jobs(1).has_forecast_end()) << "it is paused";
  EXPECT_FALSE(mine.jobs(2).has_forecast_end()) << "nothing is";
  const auto detail = reader.Detail(owner, JobId(1), 1);
  ASSERT_TRUE(detail.ok()) << detail.status();
  EXPECT_EQ(detail->status().forecast_end().seconds(), 3000);
  v1::ListJobsResponse others;
  ASSERT_TRUE(reader.List(Caller{1001}, {}, &others).ok());
  ASSERT_EQ(others.jobs_size(), 3);
  EXPECT_TRUE(others.jobs(0).withheld());
  EXPECT_FALSE(others.jobs(0).has_forecast_start());
  EXPECT_FALSE(others.jobs(0).has_forecast_end());
}

TEST_F(JobReaderTest, ListsASweepThatTheCoreHasForgotten) {
  const SweepId sweep = Submit(3);
  Cancel(core_.jobs().JobsOf(sweep));
  ForgetEnded(sweep);
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

TEST_F(JobReaderTest, DetailsAreThoseThatATurnPublished) {
  Submit(1);
  const auto submitted = reader_.Detail(Caller(), JobId(1), /*max_steps=*/9);
  ASSERT_TRUE(submitted.ok()) << submitted.status();
  EXPECT_EQ(submitted->spec().name(), "small");
  EXPECT_EQ(submitted->output_path(), "/j1-small");
  EXPECT_EQ(submitted->status().state(), v1::JOB_STATE_PENDING);
  // The core alone knows this yet.
  core_.Cancel({JobId(1)}, false, now_);
  EXPECT_EQ(reader_.Detail(Caller(), JobId(1), 9)->status().state(),
            v1::JOB_STATE_PENDING);
  Settle();
  EXPECT_EQ(reader_.Detail(Caller(), JobId(1), 9)->status().state(),
            v1::JOB_STATE_CANCELLED);
  EXPECT_EQ(reader_.Detail(Caller(), JobId(2), 9).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(JobReaderTest, DetailsOfAForgottenJobAreThoseOnTheDisk) {
  const SweepId sweep = Submit(1);
  Cancel({JobId(1)});
  ForgetEnded(sweep);
  const auto detail = reader_.Detail(Caller(), JobId(1), /*max_steps=*/9);
  ASSERT_TRUE(detail.ok()) << detail.status();
  EXPECT_EQ(detail->spec().name(), "small");
  EXPECT_EQ(detail->status().state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(JobReaderTest, MetricsOfAForgottenJobAreAllOnTheDisk) {
  const SweepId sweep = Submit(1);
  v1::ListMetricsRequest request;
  request.set_job_id("j1");
  v1::ListMetricsResponse none;
  ASSERT_TRUE(reader_.Metrics(Caller(), request, &none).ok());
  EXPECT_EQ(none.steps_size(), 0);
  EXPECT_EQ(none.next_page_token(), "");
  Cancel({JobId(1)});
  ForgetEnded(sweep);
  journal::v1::JobProgress progress;
  progress.set_state(v1::JOB_STATE_CANCELLED);
  progress.mutable_ended_at()->set_seconds(5);
  progress.set_step(5);
  for (int i = 0; i < 5; ++i) {
    v1::StepMetrics& step = *progress.mutable_newest_step();
    step.set_step(i);
    step.set_train_loss(0.5 * i);
    ASSERT_TRUE(
        records_.Apply({MakePut(kStepsTable, 1, i, step.SerializeAsString())})
            .ok());
  }
  v1::EvaluationMetrics evaluation;
  evaluation.set_step(5);
  evaluation.set_split("validation");
  ASSERT_TRUE(
      records_
          .Apply({MakePut(kProgressTable, 1, 0, progress.SerializeAsString()),
                  MakePut(kEvaluationsTable, 1, EvaluationNumber(evaluation),
                          evaluation.SerializeAsString())})
          .ok());
  request.set_page_size(3);
  v1::ListMetricsResponse first;
  ASSERT_TRUE(reader_.Metrics(Caller(), request, &first).ok());
  ASSERT_EQ(first.steps_size(), 3);
  EXPECT_EQ(first.steps(2).train_loss(), 1.0);
  EXPECT_EQ(first.evaluations_size(), 0);
  request.set_page_token(first.next_page_token());
  v1::ListMetricsResponse second;
  ASSERT_TRUE(reader_.Metrics(Caller(), request, &second).ok());
  ASSERT_EQ(second.steps_size(), 2);
  EXPECT_EQ(second.steps(1).step(), 4);
  EXPECT_EQ(second.evaluations_size(), 1);
  EXPECT_EQ(second.next_page_token(), "");
  request.set_job_id("j2");
  EXPECT_EQ(reader_.Metrics(Caller(), request, &second).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(JobReaderTest, AWatcherIsToldAllThenChangesThenTheEnd) {
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

TEST_F(JobReaderTest, AWatcherThatReadsSlowlyIsToldHowForgottenJobsEnded) {
  const SweepId sweep = Submit(3);
  WatchCursor of_sweep(&model_, &reader_, Caller(), sweep);
  WatchCursor of_job(&model_, &reader_, Caller(), JobId(2));
  v1::WatchResponse before;
  ASSERT_EQ(*of_sweep.Next(&before), WatchCursor::State::kCaughtUp);
  ASSERT_EQ(*of_job.Next(&before), WatchCursor::State::kCaughtUp);
  Cancel(core_.jobs().JobsOf(sweep));
  ForgetEnded(sweep);
  v1::WatchResponse sweep_ended;
  ASSERT_EQ(*of_sweep.Next(&sweep_ended), WatchCursor::State::kEnded);
  EXPECT_EQ(sweep_ended.jobs_size(), 3);
  v1::WatchResponse job_ended;
  ASSERT_EQ(*of_job.Next(&job_ended), WatchCursor::State::kEnded);
  ASSERT_EQ(job_ended.jobs_size(), 1);
  EXPECT_EQ(job_ended.jobs(0).state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(JobReaderTest, AWatcherOfOthersJobsIsToldOfTheirStatesAlone) {
  Submit(1, Caller{1000});
  WatchCursor owners(&model_, &reader_, Caller{1000}, AllJobs());
  WatchCursor others(&model_, &reader_, Caller{1001}, AllJobs());
  const auto told = [](WatchCursor& cursor) {
    v1::WatchResponse response;
    EXPECT_EQ(*cursor.Next(&response), WatchCursor::State::kCaughtUp);
    return response;
  };
  EXPECT_EQ(told(owners).jobs(0).name(), "small");
  const v1::WatchResponse first = told(others);
  ASSERT_EQ(first.jobs_size(), 1);
  EXPECT_TRUE(first.jobs(0).withheld());
  ExplainWaits();
  EXPECT_EQ(told(owners).jobs_size(), 1);
  EXPECT_EQ(told(others).jobs_size(), 0) << "that it got on is not told";
  ExplainWaits();
  Cancel({JobId(1)});
  EXPECT_EQ(told(owners).jobs_size(), 1);
  const v1::WatchResponse last = told(others);
  ASSERT_EQ(last.jobs_size(), 1);
  EXPECT_EQ(last.jobs(0).state(), v1::JOB_STATE_CANCELLED);
  EXPECT_TRUE(last.jobs(0).withheld());
}

class OthersJobsTest : public JobReaderTest {
 protected:
  OthersJobsTest() {
    Submit(1, Caller{1000});
    Submit(1, Caller{1001});
    AccessPolicy::Rules rules;
    rules.private_jobs = true;
    private_reader_.emplace(&core_thread_, &model_, &history_,
                            AccessPolicy(rules));
    worker_.set_device("cpu:0");
    worker_.set_task("j1 BACKWARD shard 2 step 7");
    worker_.set_task_job_id("j1");
    // As Job 2 may have waited.
    v1::JobStatus status;
    status.set_state(v1::JOB_STATE_PENDING);
    status.set_owner_user(1001);
    status.set_reason("waits for j1, which loads the same base model");
    waiting_.job = JobId(2);
    waiting_.owner = Caller{1001};
    waiting_.status = status.SerializeAsString();
  }

  std::optional<JobReader> private_reader_;
  v1::WorkerStatus worker_;
  ReadModel::Entry waiting_;
};

TEST_F(OthersJobsTest, ReasonsSayNothingOfThem) {
  EXPECT_EQ(reader_.Shown(Caller{1001}, waiting_)->reason(),
            "waits for j1, another user's job");
  EXPECT_EQ(private_reader_->Shown(Caller{1001}, waiting_)->reason(),
            "waits for another user's job");
  // Its own, and what names none.
  v1::JobStatus own = waiting_.Status();
  own.set_reason("waits for j2, which prepares the same data of /x/j1-a");
  waiting_.status = own.SerializeAsString();
  EXPECT_EQ(private_reader_->Shown(Caller{1001}, waiting_)->reason(),
            own.reason());
}

TEST_F(OthersJobsTest, WorkersSayNothingOfThem) {
  EXPECT_EQ(reader_.WorkersFor(Caller{1000}, {worker_})[0].task(),
            "j1 BACKWARD shard 2 step 7");
  const v1::WorkerStatus seen = reader_.WorkersFor(Caller{1001}, {worker_})[0];
  EXPECT_EQ(seen.task(), "j1 BACKWARD shard 2");
  EXPECT_EQ(seen.task_job_id(), "j1");
  const v1::WorkerStatus hidden =
      private_reader_->WorkersFor(Caller{1001}, {worker_})[0];
  EXPECT_EQ(hidden.task(), "another user's task");
  EXPECT_EQ(hidden.task_job_id(), "");
  EXPECT_EQ(hidden.device(), "cpu:0");
}

TEST_F(OthersJobsTest, AWorkersDeathsSayNothingOfThem) {
  worker_.set_reason("its process died 2 times, the last time of j1's (x)");
  EXPECT_EQ(reader_.WorkersFor(Caller{1000}, {worker_})[0].reason(),
            worker_.reason());
  EXPECT_THAT(reader_.WorkersFor(Caller{1001}, {worker_})[0].reason(),
              AllOf(HasSubstr("other users'"), Not(HasSubstr("(x)"))));
}

TEST_F(JobReaderTest, AWatcherOfWhatThereIsNotIsToldSo) {
  v1::WatchResponse response;
  WatchCursor cursor(&model_, &reader_, Caller(), SweepId(3));
  EXPECT_EQ(cursor.Next(&response).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hydra
