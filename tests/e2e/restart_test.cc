// What survives when processes die: with real processes, and compared bit for
// bit with an undisturbed run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::HasSubstr;

class RestartTest : public FaultTest {
 protected:
  // That it goes on from a checkpoint when its daemon and pool are lost, and
  // comes to what it comes to undisturbed.
  void ExpectTheSameWithoutThePool(v1::JobSpec spec) {
    spec.mutable_checkpoint()->set_every_steps(5);
    Cluster undisturbed({});
    const v1::JobDetail whole = undisturbed.Run(spec);
    ASSERT_EQ(whole.status().state(), v1::JOB_STATE_COMPLETED)
        << whole.status().reason();
    Cluster cluster(TwoDevices());
    const std::string job = cluster.Submit(spec);
    cluster.AwaitJob(job, [](const v1::JobDetail& detail) {
      return detail.checkpoints_size() > 0;
    });
    cluster.KillDaemon();
    cluster.LosePool();
    cluster.StartDaemon();
    EXPECT_GE(cluster.Job(job).status().step(), 5);
    EXPECT_EQ(Difference(OutcomeOf(cluster.AwaitEnd(job)), OutcomeOf(whole)),
              "");
  }
};

TEST_F(RestartTest, ADaemonKilledWhileWorkersRunGoesOnWithThem) {
  Cluster cluster(TwoDevices());
  const std::vector<pid_t> pids = cluster.WorkerPids();
  const std::string job = cluster.Submit(LongSpec());
  cluster.AwaitStep(job, 3);
  cluster.KillDaemon();
  cluster.StartDaemon();
  EXPECT_GE(cluster.Job(job).status().step(), 3);
  ExpectExact(cluster.AwaitEnd(job));
  EXPECT_EQ(cluster.WorkerPids(), pids);
  EXPECT_EQ(cluster.Restarts(), 0);
}

TEST_F(RestartTest, WithoutThePoolJobsGoOnFromTheirCheckpoints) {
  v1::JobSpec spec = LongSpec();
  spec.mutable_checkpoint()->set_every_steps(5);
  Cluster cluster(TwoDevices());
  const std::string job = cluster.Submit(spec);
  cluster.AwaitJob(job, [](const v1::JobDetail& detail) {
    return detail.checkpoints_size() > 0;
  });
  cluster.KillDaemon();
  cluster.LosePool();
  cluster.StartDaemon();
  EXPECT_GE(cluster.Job(job).status().step(), 5);
  ExpectExact(cluster.AwaitEnd(job));
}

TEST_F(RestartTest, ABackupThatIsRestoredGoesOnFromItsCheckpoints) {
  v1::JobSpec spec = LongSpec();
  spec.mutable_checkpoint()->set_every_steps(5);
  Cluster cluster(TwoDevices());
  const std::string job = cluster.Submit(spec);
  cluster.AwaitJob(job, [](const v1::JobDetail& detail) {
    return detail.checkpoints_size() > 0;
  });
  const std::string backup = cluster.directory() + "/backup";
  const auto back_up = [&] {
    return RunProgram({"/usr/bin/env", "HYDRAD=scheduler/hydrad",
                       "deploy/backup.sh", cluster.state_dir(), backup});
  };
  const ProgramResult refused = back_up();
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.output, HasSubstr("owned by a live daemon"));
  EXPECT_FALSE(fs::exists(backup));
  cluster.StopDaemon();
  const ProgramResult done = back_up();
  ASSERT_EQ(done.code, 0) << done.output;
  const int64_t saved = [&] {
    cluster.StartDaemon();
    const int64_t step = cluster.Job(job).status().step();
    // What comes after the backup shows nowhere.
    cluster.AwaitStep(job, step + 1);
    cluster.StopDaemon();
    return step;
  }();
  fs::remove_all(cluster.state_dir());
  fs::copy(backup, cluster.state_dir(), fs::copy_options::recursive);
  cluster.StartDaemon();
  EXPECT_GE(cluster.Job(job).status().step(), 5);
  EXPECT_GE(saved, 5);
  ExpectExact(cluster.AwaitEnd(job));
}

// The checkpoint has the adapters alone.
TEST_F(RestartTest, WithoutThePoolAdaptersGoOnFromTheirCheckpoints) {
  v1::JobSpec spec = LongSpec();
  spec.mutable_lora()->set_lora_dropout(0.1);
  spec.mutable_checkpoint()->set_every_steps(5);
  Cluster undisturbed({});
  const v1::JobDetail whole = undisturbed.Run(spec);
  ASSERT_EQ(whole.status().state(), v1::JOB_STATE_COMPLETED)
      << whole.status().reason();
  Cluster cluster(TwoDevices());
  const std::string job = cluster.Submit(spec);
  cluster.AwaitJob(job, [](const v1::JobDetail& detail) {
    return detail.checkpoints_size() > 0;
  });
  cluster.KillDaemon();
  cluster.LosePool();
  cluster.StartDaemon();
  const v1::JobDetail resumed = cluster.Job(job);
  EXPECT_GE(resumed.status().step(), 5);
  EXPECT_FALSE(
      fs::exists(resumed.checkpoints(0).path() + "/model.safetensors"));
  EXPECT_EQ(Difference(OutcomeOf(cluster.AwaitEnd(job)), OutcomeOf(whole)), "");
}

// Whose scale follows from the steps before, most of which overflow.
TEST_F(RestartTest, WithoutThePoolAScaledLossGoesOnWithItsScale) {
  v1::JobSpec spec = LongSpec();
  spec.mutable_train()->set_fp16(true);
  spec.mutable_train()->set_loss_scale(0x1p23);
  spec.mutable_train()->set_loss_scale_growth_interval(2);
  ExpectTheSameWithoutThePool(spec);
}

// Whose moments are no larger than its rows and columns.
TEST_F(RestartTest, WithoutThePoolAdafactorGoesOnFromItsCheckpoints) {
  v1::JobSpec spec = LongSpec();
  spec.mutable_train()->set_optim(v1::OPTIMIZER_ADAFACTOR);
  ExpectTheSameWithoutThePool(spec);
}

// The checkpoint has parameters of two bytes, and their masters.
TEST_F(RestartTest, WithoutThePoolMastersGoOnFromTheirCheckpoints) {
  v1::JobSpec spec = LongSpec();
  spec.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_BFLOAT16);
  ExpectTheSameWithoutThePool(spec);
}

// What is frozen comes from the model again: the checkpoint has what its int8
// stands for.
TEST_F(RestartTest, WithoutThePoolFrozenLayersOfInt8AreAsTheyWere) {
  v1::JobSpec spec = LongSpec();
  spec.mutable_model()->add_frozen("*.w?e.*");
  spec.mutable_model()->add_frozen("*.h.0.*");
  spec.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_INT8);
  ExpectTheSameWithoutThePool(spec);
}

TEST_F(RestartTest, ADamagedCheckpointIsPassedOverForTheOneBefore) {
  v1::JobSpec spec = LongSpec();
  spec.mutable_checkpoint()->set_every_steps(5);
  Cluster cluster(TwoDevices());
  const std::string job = cluster.Submit(spec);
  cluster.AwaitJob(job, [](const v1::JobDetail& detail) {
    return detail.checkpoints_size() >= 2;
  });
  cluster.KillDaemon();
  cluster.LosePool();
  const std::string folder =
      cluster.state_dir() + "/outputs/" + job + "-small/checkpoints";
  std::map<int64_t, std::string> by_step;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.find("tmp") != std::string::npos) continue;
    by_step[std::stoll(name.substr(sizeof("checkpoint")))] =
        entry.path().string();
  }
  ASSERT_GE(by_step.size(), 2);
  const std::string newest = by_step.rbegin()->second;
  const int64_t older_step = std::next(by_step.rbegin())->first;
  const std::string weights = newest + "/model.safetensors";
  std::string bytes = ReadFile(weights);
  bytes[bytes.size() / 2] ^= 1;
  WriteFile(weights, bytes);
  cluster.StartDaemon();
  cluster.AwaitJob(job, [&](const v1::JobDetail&) {
    return LogOf(cluster, job).find("does not go on from " + newest) !=
           std::string::npos;
  });
  EXPECT_GE(cluster.Job(job).status().step(), older_step);
  ExpectExact(cluster.AwaitEnd(job));
}

TEST_F(RestartTest, AStoppedDaemonSavesItsJobsAndAnotherPartitionGoesOn) {
  v1::JobSpec spec = SmallJob(files(), {});
  spec.mutable_model()->set_path(files().wide_model);
  spec.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
  // Enough tokens for the blocks' activations to count, and enough steps for
  // the stop to meet some.
  spec.mutable_train()->set_per_device_train_batch_size(64);
  spec.mutable_train()->set_gradient_accumulation_steps(1);
  spec.mutable_train()->set_max_steps(12);
  spec.mutable_evaluation()->set_eval_steps(6);
  Cluster::Options roomy;
  roomy.devices = {"cpu:0=512MiB"};
  Cluster::Options tight;
  tight.devices = {"cpu:0=44MiB"};

  Cluster undisturbed(roomy);
  const v1::JobDetail whole = undisturbed.Run(spec);
  ASSERT_EQ(whole.status().state(), v1::JOB_STATE_COMPLETED);
  Cluster cluster(roomy);
  const std::string job = cluster.Submit(spec);
  cluster.AwaitStep(job, 3);
  const absl::Time stop = absl::Now();
  cluster.StopDaemon();
  EXPECT_LE(absl::Now() - stop, absl::Seconds(30));
  EXPECT_FALSE(fs::exists(cluster.directory() + "/pool"));
  cluster.StartDaemon(tight);
  EXPECT_GE(cluster.Job(job).status().step(), 3);
  const v1::JobDetail cut = cluster.AwaitEnd(job);
  EXPECT_EQ(Difference(OutcomeOf(cut), OutcomeOf(whole)), "")
      << cut.status().reason();
  EXPECT_LT(whole.partition().cut_points_size(),
            cut.partition().cut_points_size());
}

TEST_F(RestartTest, APausedJobHoldsNothingAndGoesOnExactly) {
  Cluster cluster(TwoDevices());
  const std::string job = cluster.Submit(LongSpec());
  cluster.AwaitStep(job, 3);
  Pause(cluster.stub(), job);
  cluster.AwaitJob(job, [](const v1::JobDetail& detail) {
    return detail.status().state() == v1::JOB_STATE_PAUSED;
  });
  EXPECT_EQ(cluster.Info().pool_used_bytes(), 0);
  cluster.StopDaemon();
  cluster.StartDaemon();
  EXPECT_EQ(cluster.Job(job).status().state(), v1::JOB_STATE_PAUSED);
  Resume(cluster.stub(), job);
  ExpectExact(cluster.AwaitEnd(job));
}

TEST_F(RestartTest, AStoppedWorkerIsKilledBeforeItsSlotsAreUsedAgain) {
  Cluster cluster(TwoDevices());
  const std::string job = cluster.Submit(LongSpec());
  v1::WorkerStatus stopped;
  cluster.AwaitJob(job, [&](const v1::JobDetail& detail) {
    for (const v1::WorkerStatus& worker : cluster.Workers()) {
      if (!worker.task().empty()) stopped = worker;
    }
    return detail.status().step() >= 2 && !stopped.task().empty();
  });
  kill(static_cast<pid_t>(stopped.pid()), SIGSTOP);
  cluster.Await([&] { return cluster.Restarts() > 0; });
  EXPECT_THAT(ReadFile(cluster.log_path()),
              HasSubstr("worker " + stopped.device() + " killed by signal 9"));
  ExpectExact(cluster.AwaitEnd(job));
}

TEST_F(RestartTest, ARepeatedRequestIsOneSubmissionEvenAfterARestart) {
  Cluster cluster(TwoDevices());
  v1::SubmitRequest request;
  *request.mutable_job() = spec();
  request.set_request_id("the same");
  const std::vector<std::string> first = cluster.Submit(request);
  cluster.KillDaemon();
  cluster.StartDaemon();
  EXPECT_EQ(cluster.Submit(request), first);
  ExpectExact(cluster.AwaitEnd(first.front()));
}

}  // namespace
}  // namespace hydra
