// Jobs with adapters on one frozen base: what they share, and that nobody's
// bits depend on it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::HasSubstr;

class SharedBaseTest : public FaultTest {
 protected:
  static constexpr int kJobs = 3;

  // Of four shards, and long enough to be disturbed.
  v1::SubmitRequest Request() const {
    v1::SubmitRequest request;
    *request.mutable_job() = LongSpec();
    request.mutable_job()->mutable_lora()->set_r(4);
    request.mutable_job()->mutable_checkpoint()->set_every_steps(20);
    v1::GridAxis& rates = *request.add_grid();
    rates.set_field("train.learning_rate");
    for (int job = 1; job <= kJobs; ++job) {
      rates.add_values(absl::StrCat(job, "e-3"));
    }
    return request;
  }
  // What each comes to by itself: one job after another on one device.
  const std::vector<Outcome>& Alone() const {
    static const auto& outcomes = *new std::vector<Outcome>([this] {
      std::vector<Outcome> alone;
      Cluster cluster({});
      const v1::SubmitRequest request = Request();
      for (const std::string& rate : request.grid(0).values()) {
        v1::SubmitRequest one = request;
        one.mutable_grid(0)->clear_values();
        one.mutable_grid(0)->add_values(rate);
        alone.push_back(
            OutcomeOf(cluster.AwaitEnd(cluster.Submit(one).front())));
      }
      return alone;
    }());
    return outcomes;
  }
  void ExpectAsAlone(Cluster& cluster, const std::vector<std::string>& jobs,
                     size_t first = 0) const {
    for (size_t i = first; i < jobs.size(); ++i) {
      EXPECT_EQ(Difference(OutcomeOf(cluster.AwaitEnd(jobs[i])), Alone()[i]),
                "")
          << jobs[i];
    }
    EXPECT_EQ(cluster.AwaitEmptyPool(), 0);
  }
  // The base, and what each job takes beside it.
  static int64_t BytesOfAll(const v1::PoolDemand& demand) {
    return demand.base_bytes() +
           kJobs * (demand.total_bytes() - demand.base_bytes() +
                    2 * demand.largest_write_bytes());
  }
  static bool IsPaused(const v1::JobDetail& job) {
    return job.status().state() == v1::JOB_STATE_PAUSED;
  }
  // Of the base.
  std::string weights() const {
    return files().tiny_model + "/model.safetensors";
  }
  // One job with a checkpoint, whose daemon begins anew without its pool and
  // after `change`, and which is paused by that.
  std::string PausedAfter(Cluster& cluster,
                          absl::FunctionRef<void()> change) const {
    v1::SubmitRequest request = Request();
    request.mutable_grid(0)->mutable_values()->DeleteSubrange(1, kJobs - 1);
    const std::string job = cluster.Submit(request).front();
    cluster.AwaitJob(job, [](const v1::JobDetail& detail) {
      return detail.checkpoints_size() > 0;
    });
    cluster.KillDaemon();
    cluster.LosePool();
    change();
    cluster.StartDaemon();
    cluster.AwaitJob(job, IsPaused);
    return job;
  }
  static void AwaitTraining(Cluster& cluster,
                            const std::vector<std::string>& jobs) {
    for (const std::string& job : jobs) cluster.AwaitStep(job, 2);
  }
};

TEST_F(SharedBaseTest, ThePoolHasTheBaseOnceAndEveryJobItsOwnBits) {
  Cluster cluster(TwoDevices());
  const std::vector<std::string> jobs = cluster.Submit(Request());
  AwaitTraining(cluster, jobs);
  const v1::PoolDemand demand = cluster.Job(jobs[0]).pool_demand();
  EXPECT_GT(demand.base_bytes(), demand.committed_bytes());
  EXPECT_LT(cluster.Info().pool_used_bytes(), BytesOfAll(demand));
  EXPECT_LT(cluster.Info().pool_reserved_bytes(),
            BytesOfAll(demand) + demand.base_bytes());
  EXPECT_THAT(LogOf(cluster, jobs[1]), HasSubstr("admitted"));
  ExpectAsAlone(cluster, jobs);
}

TEST_F(SharedBaseTest, ItSurvivesADaemonThatIsKilled) {
  Cluster cluster(TwoDevices());
  const std::vector<std::string> jobs = cluster.Submit(Request());
  // Once while the first one fills it, if the time is met, and twice later.
  cluster.Await([&] { return cluster.Info().pool_used_bytes() > 0; });
  for (int step : {0, 3, 20}) {
    for (const std::string& job : jobs) cluster.AwaitStep(job, step);
    cluster.KillDaemon();
    cluster.StartDaemon();
  }
  EXPECT_LT(cluster.Info().pool_used_bytes(),
            BytesOfAll(cluster.Job(jobs[0]).pool_demand()));
  ExpectAsAlone(cluster, jobs);
}

TEST_F(SharedBaseTest, ItStaysWhenTheJobThatFilledItLeaves) {
  Cluster cluster(TwoDevices());
  const std::vector<std::string> jobs = cluster.Submit(Request());
  AwaitTraining(cluster, jobs);
  Cancel(cluster.stub(), jobs[0]);
  ExpectAsAlone(cluster, jobs, /*first=*/1);
}

TEST_F(SharedBaseTest, APausedJobComesBackToIt) {
  Cluster cluster(TwoDevices());
  const std::vector<std::string> jobs = cluster.Submit(Request());
  AwaitTraining(cluster, jobs);
  Pause(cluster.stub(), jobs[1]);
  cluster.AwaitJob(jobs[1], IsPaused);
  Resume(cluster.stub(), jobs[1]);
  ExpectAsAlone(cluster, jobs);
}

// The same content in another file: nobody can tell that it is the same.
TEST_F(SharedBaseTest, AJobDoesNotGoOnWithAnotherBaseUnlessItsUserSaysSo) {
  Cluster cluster(TwoDevices());
  const std::string job = PausedAfter(cluster, [this] {
    fs::copy_file(weights(), weights() + ".new");
    fs::rename(weights() + ".new", weights());
  });
  EXPECT_THAT(cluster.Job(job).status().reason(),
              HasSubstr("not those that the job was submitted with"));
  EXPECT_GT(cluster.Job(job).checkpoints_size(), 0);
  Resume(cluster.stub(), job);
  EXPECT_EQ(Difference(OutcomeOf(cluster.AwaitEnd(job)), Alone()[0]), "");
}

TEST_F(SharedBaseTest, ACheckpointStaysWhereItsBaseCannotBeRead) {
  Cluster cluster(TwoDevices());
  const std::string job = PausedAfter(
      cluster, [this] { fs::rename(weights(), weights() + ".away"); });
  EXPECT_THAT(cluster.Job(job).status().reason(), HasSubstr("the base model"));
  const int checkpoints = cluster.Job(job).checkpoints_size();
  EXPECT_GT(checkpoints, 0);
  Resume(cluster.stub(), job);
  cluster.AwaitJob(job, IsPaused);
  EXPECT_EQ(cluster.Job(job).checkpoints_size(), checkpoints);
  fs::rename(weights() + ".away", weights());
  Resume(cluster.stub(), job);
  EXPECT_EQ(Difference(OutcomeOf(cluster.AwaitEnd(job)), Alone()[0]), "");
}

TEST_F(SharedBaseTest, AWorkerThatDiesWhileItFillsTheBaseIsReplaced) {
  const std::string marker = Marker();
  Cluster cluster(
      Options(absl::StrCat("worker.before_report=kill@3:", marker)));
  ExpectAsAlone(cluster, cluster.Submit(Request()));
}

}  // namespace
}  // namespace hydra
