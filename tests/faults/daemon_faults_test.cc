// Daemons that die at the worst places, and users who change their minds.

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;

// Submits jobs until the daemon goes away.
class Submitter {
 public:
  Submitter(const std::string& address, const v1::JobSpec& job,
            const std::string& prefix)
      : job_(job),
        prefix_(prefix),
        thread_([this, address] { Loop(address); }) {}
  ~Submitter() { Join(); }

  int acknowledged_count() const { return acknowledged_count_; }
  // Request id to job id; once the daemon is gone.
  std::map<std::string, std::string> TakeAcknowledged() {
    Join();
    return acknowledged_;
  }

 private:
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

  void Loop(const std::string& address) {
    const auto stub = ConnectTo(address);
    while (true) {
      v1::SubmitRequest request;
      *request.mutable_job() = job_;
      request.set_request_id(absl::StrCat(prefix_, "-", acknowledged_.size()));
      grpc::ClientContext context;
      v1::SubmitResponse response;
      if (!stub->Submit(&context, request, &response).ok()) return;
      acknowledged_[request.request_id()] = response.jobs(0).job_id();
      ++acknowledged_count_;
    }
  }

  const v1::JobSpec job_;
  const std::string prefix_;
  std::map<std::string, std::string> acknowledged_;
  std::atomic<int> acknowledged_count_{0};
  std::thread thread_;
};

class DaemonFaultsTest : public FaultTest {
 protected:
  // The daemon is killed at `place`, started again, and goes on.
  void ExpectADeathIsHarmless(const std::string& place, int pass) {
    const std::string marker = Marker();
    Cluster cluster(Options(absl::StrCat(place, "=kill@", pass, ":", marker)));
    v1::JobSpec job_spec = spec();
    job_spec.mutable_checkpoint()->set_every_steps(4);
    const std::vector<pid_t> workers = cluster.WorkerPids();
    const std::string job = cluster.Submit(job_spec);
    cluster.Await([&] { return fs::exists(marker); });
    cluster.KillDaemon();
    const absl::Time start = absl::Now();
    cluster.StartDaemon();
    const absl::Duration recovered = absl::Now() - start;
    const v1::JobDetail done = cluster.AwaitEnd(job);
    EXPECT_EQ(cluster.WorkerPids(), workers);
    Row("F03", "SIGKILL of hydrad at " + place,
        absl::StrCat("its workers went on, ", done.totals().retried_tasks(),
                     " tasks ran again"),
        recovered, ExpectExact(done));
  }

  static v1::JobStatus StatusOf(v1::HydraService::Stub& stub,
                                const std::string& job) {
    grpc::ClientContext context;
    v1::GetJobRequest request;
    request.set_job_id(job);
    v1::GetJobResponse response;
    EXPECT_TRUE(stub.GetJob(&context, request, &response).ok());
    return response.job().status();
  }

  // A cancelled job whose task is still in a worker's hand has not ended yet.
  static void ExpectLegal(const v1::JobStatus& job) {
    EXPECT_NE(job.state(), v1::JOB_STATE_FAILED) << job.reason();
    const bool is_end_state = job.state() == v1::JOB_STATE_COMPLETED ||
                              job.state() == v1::JOB_STATE_CANCELLED;
    if (job.phase() == v1::JOB_PHASE_ENDED) {
      EXPECT_TRUE(is_end_state) << job.ShortDebugString();
    }
  }
};

TEST_F(DaemonFaultsTest, F03AKillBeforeAndAfterItsCommits) {
  ExpectADeathIsHarmless("daemon.before_commit", 60);
  ExpectADeathIsHarmless("daemon.after_commit", 60);
  ExpectADeathIsHarmless("daemon.before_group_commit", 4);
}

TEST_F(DaemonFaultsTest, F03AKillWhileACheckpointIsWritten) {
  ExpectADeathIsHarmless("checkpoint.between_files", 1);
  ExpectADeathIsHarmless("checkpoint.before_rename", 1);
}

TEST_F(DaemonFaultsTest, F03EveryAcknowledgedJobIsThereOnce) {
  constexpr int kRounds = 5;
  constexpr int kJobsOfRound = 60;
  Cluster cluster(Options());
  v1::JobSpec job = spec();
  job.mutable_train()->set_max_steps(1'000'000);
  std::map<std::string, std::string> acknowledged;
  absl::Duration longest;
  for (int round = 0; round < kRounds; ++round) {
    Submitter submitter(cluster.address(), job, absl::StrCat("round", round));
    cluster.Await(
        [&] { return submitter.acknowledged_count() >= kJobsOfRound; });
    cluster.KillDaemon();
    acknowledged.merge(submitter.TakeAcknowledged());
    const absl::Time start = absl::Now();
    cluster.StartDaemon();
    longest = std::max(longest, absl::Now() - start);

    std::map<std::string, int> listed;
    for (const v1::JobStatus& status : cluster.List()) {
      ++listed[status.job_id()];
    }
    for (const auto& [request, id] : acknowledged) {
      EXPECT_EQ(listed[id], 1) << request;
    }
    // Of each round at most one was taken in and not acknowledged any more.
    EXPECT_LE(listed.size(), acknowledged.size() + round + 1);
  }
  std::set<std::string> ids;
  for (const auto& [request, id] : acknowledged) ids.insert(id);
  EXPECT_EQ(ids.size(), acknowledged.size());
  Row("F03",
      absl::StrCat(kRounds, " x SIGKILL of hydrad while jobs are submitted"),
      absl::StrCat("all of ", acknowledged.size(),
                   " acknowledged jobs are there once"),
      longest, std::nullopt);
  for (const v1::JobStatus& status : cluster.List()) {
    Cancel(cluster.stub(), status.job_id());
  }
}

// One of these in every state, by several users at once.
TEST_F(DaemonFaultsTest, F40CancelPauseAndResumeAtRandom) {
  constexpr int kJobs = 6;
  constexpr int kUsers = 3;
  constexpr int kCallsOfUser = 40;
  Cluster cluster(Options());
  const std::vector<std::string> jobs = SubmitEqualJobs(cluster, spec(), kJobs);
  // The last one may be cancelled, the others have to end exactly.
  const std::string& victim = jobs.back();
  std::vector<std::thread> users;
  for (int user = 0; user < kUsers; ++user) {
    users.emplace_back([&, user] {
      const auto stub = ConnectTo(cluster.address());
      std::mt19937 random(user);
      for (int call = 0; call < kCallsOfUser; ++call) {
        const std::string& job = jobs[random() % kJobs];
        if (random() % 2 == 0) {
          Pause(*stub, job);
        } else {
          Resume(*stub, job);
        }
        if (call >= kCallsOfUser / 2) Cancel(*stub, victim);
        ExpectLegal(StatusOf(*stub, jobs[random() % kJobs]));
      }
    });
  }
  for (std::thread& user : users) user.join();
  EXPECT_EQ(cluster.AwaitEnd(victim).status().state(), v1::JOB_STATE_CANCELLED);
  bool exact = true;
  for (int i = 0; i + 1 < kJobs; ++i) {
    Resume(cluster.stub(), jobs[i]);
    exact = ExpectExact(cluster.AwaitEnd(jobs[i])) && exact;
  }
  Row("F40",
      absl::StrCat(kUsers * kCallsOfUser,
                   " random calls of pause, resume and cancel by ", kUsers,
                   " users on ", kJobs, " jobs"),
      "only legal states", std::nullopt, exact);
}

}  // namespace
}  // namespace hydra
