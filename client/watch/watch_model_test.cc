#include "client/watch/watch_model.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

v1::WatchResponse WithJob(const std::string& id, v1::JobState state) {
  v1::WatchResponse response;
  v1::JobStatus* job = response.add_jobs();
  job->set_job_id(id);
  job->set_state(state);
  return response;
}

v1::WatchResponse WithWorker() {
  v1::WatchResponse response;
  response.add_workers()->set_device("cpu:0");
  return response;
}

TEST(WatchModelTest, KeepsTheNewestStatusInOrderOfSubmission) {
  WatchModel model;
  model.Apply(WithJob("j10", v1::JOB_STATE_PENDING), true);
  model.Apply(WithJob("j9", v1::JOB_STATE_RUNNING), false);
  model.Apply(WithJob("j10", v1::JOB_STATE_RUNNING), false);
  const std::vector<v1::JobStatus> jobs = model.Jobs();
  ASSERT_EQ(jobs.size(), 2);
  EXPECT_EQ(jobs[0].job_id(), "j9");
  EXPECT_EQ(jobs[1].job_id(), "j10");
  EXPECT_EQ(jobs[1].state(), v1::JOB_STATE_RUNNING);
}

TEST(WatchModelTest, ANewStreamForgetsJobsThatItDoesNotName) {
  WatchModel model;
  model.Apply(WithJob("j1", v1::JOB_STATE_RUNNING), true);
  model.Apply(WithJob("j2", v1::JOB_STATE_RUNNING), true);
  ASSERT_EQ(model.Jobs().size(), 1);
  EXPECT_EQ(model.Jobs()[0].job_id(), "j2");
}

TEST(WatchModelTest, KnowsWhenAllHaveEndedAndWhetherWell) {
  WatchModel model;
  model.Apply(WithJob("j1", v1::JOB_STATE_COMPLETED), true);
  EXPECT_TRUE(model.AllEnded());
  EXPECT_FALSE(model.AnyUnsuccessful());
  model.Apply(WithJob("j2", v1::JOB_STATE_RUNNING), false);
  EXPECT_FALSE(model.AllEnded());
  model.Apply(WithJob("j2", v1::JOB_STATE_PAUSED), false);
  EXPECT_FALSE(model.AllEnded());
  EXPECT_FALSE(model.AnyUnsuccessful());
  model.Apply(WithJob("j2", v1::JOB_STATE_CANCELLED), false);
  EXPECT_TRUE(model.AllEnded());
  EXPECT_TRUE(model.AnyUnsuccessful());
}

TEST(WatchModelTest, TellsWhyNoWorkerStarts) {
  v1::WatchResponse response = WithWorker();
  WatchModel model;
  EXPECT_EQ(model.WhyNoWorkerStarts(), std::nullopt);
  v1::WorkerStatus& worker = *response.mutable_workers(0);
  worker.set_state(v1::WORKER_STATE_RESTARTING);
  worker.set_reason("cannot start: ended with code 127");
  worker.set_restarts(2);
  model.Apply(response, true);
  EXPECT_EQ(model.WhyNoWorkerStarts(), std::nullopt) << "it may yet";
  worker.set_restarts(3);
  model.Apply(response, false);
  EXPECT_EQ(model.WhyNoWorkerStarts(),
            "cpu:0 cannot start: ended with code 127");
  *response.add_workers() = worker;
  response.mutable_workers(1)->set_state(v1::WORKER_STATE_READY);
  response.mutable_workers(1)->clear_reason();
  model.Apply(response, false);
  EXPECT_EQ(model.WhyNoWorkerStarts(), std::nullopt) << "another one can";
}

}  // namespace
}  // namespace hydra
