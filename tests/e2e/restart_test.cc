// What survives when processes die: with real processes, and compared bit for
// bit with an undisturbed run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::HasSubstr;

Cluster::Options TwoDevices() {
  Cluster::Options options;
  options.devices = {"cpu:0=64MiB", "cpu:1=64MiB"};
  return options;
}

std::string ModelOf(const v1::JobDetail& job) {
  return ReadFile(job.output_path() + "/model.safetensors");
}

class RestartTest : public testing::Test {
 protected:
  RestartTest() : files_(MakeSmallJobFiles(FreshDirectory())) {
    spec_ = SmallJob(files_, {1, 2, 3});
    spec_.mutable_train()->set_max_steps(kSteps);
    spec_.mutable_evaluation()->set_eval_steps(100);
  }

  // The weights of an undisturbed run.
  const std::string& Undisturbed() {
    static const std::string& model = *new std::string([&] {
      Cluster cluster(TwoDevices());
      return ModelOf(cluster.Run(spec_));
    }());
    return model;
  }

  std::string Submit(Cluster& cluster, const v1::JobSpec& spec) {
    v1::SubmitRequest request;
    *request.mutable_job() = spec;
    return cluster.Submit(request).front();
  }

  void AwaitStep(Cluster& cluster, const std::string& job, int64_t step) {
    cluster.Await([&] { return cluster.Job(job).status().step() >= step; });
  }

  void ExpectUndisturbed(const v1::JobDetail& job) {
    EXPECT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    EXPECT_EQ(job.steps_size(), kSteps);
    EXPECT_EQ(ModelOf(job), Undisturbed());
  }

  // Long enough that a disturbance meets it on a fast machine too.
  static constexpr int64_t kSteps = 300;
  const SmallJobFiles files_;
  v1::JobSpec spec_;
};

TEST_F(RestartTest, ADaemonKilledWhileWorkersRunGoesOnWithThem) {
  Cluster cluster(TwoDevices());
  const std::string job = Submit(cluster, spec_);
  AwaitStep(cluster, job, 3);
  std::vector<int64_t> pids;
  for (const v1::WorkerStatus& worker : cluster.Workers()) {
    pids.push_back(worker.pid());
  }
  cluster.KillDaemon();
  cluster.StartDaemon();
  EXPECT_GE(cluster.Job(job).status().step(), 3);
  ExpectUndisturbed(cluster.AwaitEnd(job));
  std::vector<int64_t> later;
  for (const v1::WorkerStatus& worker : cluster.Workers()) {
    later.push_back(worker.pid());
    EXPECT_EQ(worker.restarts(), 0);
  }
  EXPECT_EQ(later, pids);
}

TEST_F(RestartTest, WithoutThePoolJobsGoOnFromTheirCheckpoints) {
  spec_.mutable_checkpoint()->set_every_steps(5);
  Cluster cluster(TwoDevices());
  const std::string job = Submit(cluster, spec_);
  cluster.Await([&] { return cluster.Job(job).checkpoints_size() > 0; });
  cluster.KillDaemon();
  // As after a restart of the machine.
  fs::remove(cluster.directory() + "/pool");
  fs::remove(cluster.directory() + "/pool.db");
  cluster.StartDaemon();
  EXPECT_GE(cluster.Job(job).status().step(), 5);
  ExpectUndisturbed(cluster.AwaitEnd(job));
}

TEST_F(RestartTest, ADamagedCheckpointIsPassedOverForTheOneBefore) {
  spec_.mutable_checkpoint()->set_every_steps(5);
  Cluster cluster(TwoDevices());
  const std::string job = Submit(cluster, spec_);
  cluster.Await([&] { return cluster.Job(job).checkpoints_size() >= 2; });
  cluster.KillDaemon();
  fs::remove(cluster.directory() + "/pool");
  fs::remove(cluster.directory() + "/pool.db");
  std::string newest;
  int64_t newest_step = 0;
  const std::string folder =
      cluster.state_dir() + "/outputs/" + job + "-small/checkpoints";
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.find("tmp") != std::string::npos) continue;
    const int64_t step = std::stoll(name.substr(sizeof("checkpoint")));
    if (step <= newest_step) continue;
    newest_step = step;
    newest = entry.path().string();
  }
  const std::string weights = newest + "/model.safetensors";
  std::string bytes = ReadFile(weights);
  bytes[bytes.size() / 2] ^= 1;
  WriteFile(weights, bytes);
  cluster.StartDaemon();
  ExpectUndisturbed(cluster.AwaitEnd(job));
}

TEST_F(RestartTest, AStoppedDaemonSavesItsJobsAndAnotherPartitionGoesOn) {
  Cluster cluster(TwoDevices());
  spec_.clear_partition();
  const std::string job = Submit(cluster, spec_);
  AwaitStep(cluster, job, 3);
  cluster.StopDaemon();
  EXPECT_FALSE(fs::exists(cluster.directory() + "/pool"));
  Cluster::Options smaller;
  smaller.devices = {"cpu:0=48MiB"};
  cluster.StartDaemon(smaller);
  ExpectUndisturbed(cluster.AwaitEnd(job));
}

TEST_F(RestartTest, APausedJobHoldsNothingAndGoesOnExactly) {
  Cluster cluster(TwoDevices());
  const std::string job = Submit(cluster, spec_);
  AwaitStep(cluster, job, 3);
  grpc::ClientContext pause;
  v1::PauseRequest request;
  request.set_job_id(job);
  v1::PauseResponse paused;
  ASSERT_TRUE(cluster.stub().Pause(&pause, request, &paused).ok());
  EXPECT_EQ(paused.paused_job_ids_size(), 1);
  cluster.Await([&] {
    return cluster.Job(job).status().state() == v1::JOB_STATE_PAUSED;
  });
  grpc::ClientContext info_context;
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(cluster.stub().GetServerInfo(&info_context, {}, &info).ok());
  EXPECT_EQ(info.pool_used_bytes(), 0);
  cluster.StopDaemon();
  cluster.StartDaemon();
  EXPECT_EQ(cluster.Job(job).status().state(), v1::JOB_STATE_PAUSED);
  grpc::ClientContext resume;
  v1::ResumeRequest resume_request;
  resume_request.set_job_id(job);
  v1::ResumeResponse resumed;
  ASSERT_TRUE(cluster.stub().Resume(&resume, resume_request, &resumed).ok());
  ExpectUndisturbed(cluster.AwaitEnd(job));
}

TEST_F(RestartTest, AStoppedWorkerIsKilledBeforeItsSlotsAreUsedAgain) {
  Cluster cluster(TwoDevices());
  const std::string job = Submit(cluster, spec_);
  AwaitStep(cluster, job, 2);
  const v1::WorkerStatus worker = cluster.Workers()[0];
  kill(static_cast<pid_t>(worker.pid()), SIGSTOP);
  cluster.Await([&] { return cluster.Workers()[0].restarts() > 0; });
  ExpectUndisturbed(cluster.AwaitEnd(job));
}

TEST_F(RestartTest, ARepeatedRequestIsOneSubmissionEvenAfterARestart) {
  Cluster cluster(TwoDevices());
  v1::SubmitRequest request;
  *request.mutable_job() = spec_;
  request.set_request_id("the same");
  const std::vector<std::string> first = cluster.Submit(request);
  cluster.KillDaemon();
  cluster.StartDaemon();
  EXPECT_EQ(cluster.Submit(request), first);
  ExpectUndisturbed(cluster.AwaitEnd(first.front()));
}

}  // namespace
}  // namespace hydra
