// The wall clock jumps.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/file/scratch_directory.h"
#include "grpcpp/grpcpp.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// A stream that is open until this is destroyed.
class Watcher {
 public:
  Watcher(const std::string& address, const std::string& job)
      : stub_(ConnectTo(address)), thread_([this, job] { Watch(job); }) {}
  ~Watcher() {
    context_.TryCancel();
    thread_.join();
  }

  // The newest that arrived.
  int64_t step() const { return step_; }

 private:
  void Watch(const std::string& job) {
    v1::WatchRequest request;
    request.set_job_id(job);
    const auto reader = stub_->Watch(&context_, request);
    v1::WatchResponse response;
    while (reader->Read(&response)) {
      for (const v1::JobStatus& status : response.jobs()) {
        step_ = status.step();
      }
    }
  }

  const std::unique_ptr<v1::HydraService::Stub> stub_;
  grpc::ClientContext context_;
  std::atomic<int64_t> step_{0};
  std::thread thread_;
};

class ClockFaultsTest : public FaultTest {
 protected:
  // How much later than it is the time of the daemon's newest log line is, in
  // seconds. It begins like "I20260131 23:59:59.".
  static int64_t LoggedClock(const Cluster& cluster) {
    const std::string log = ReadFile(cluster.log_path());
    const size_t line = log.rfind("\nI") + 1;
    int hour = 0;
    int minute = 0;
    int second = 0;
    EXPECT_EQ(std::sscanf(log.c_str() + line + sizeof("I20260131"), "%d:%d:%d",
                          &hour, &minute, &second),
              3);
    const absl::CivilSecond now =
        absl::ToCivilSecond(absl::Now(), absl::LocalTimeZone());
    constexpr int64_t kDay = 24 * 3600;
    const int64_t later = (hour - now.hour()) * 3600 +
                          (minute - now.minute()) * 60 + second - now.second();
    // The nearest one that may be meant.
    return (later + kDay + kDay / 2) % kDay - kDay / 2;
  }

  void ExpectAJumpIsHarmless(int64_t seconds) {
    const std::string jump = FreshDirectory() + "/jump";
    Cluster cluster(Preloading("libclock_jump.so", "CLOCK_JUMP_FILE=" + jump));
    const std::vector<pid_t> workers = cluster.WorkerPids();
    v1::JobSpec endless_spec = spec();
    endless_spec.mutable_train()->set_max_steps(1'000'000);
    const std::string endless = cluster.Submit(endless_spec);
    v1::JobSpec job_spec = LongSpec();
    job_spec.mutable_checkpoint()->set_every_steps(50);
    const std::string job = cluster.Submit(job_spec);
    Watcher watcher(cluster.address(), endless);
    cluster.AwaitStep(job, 2);
    cluster.AwaitStep(endless, 2);
    WriteFile(jump, absl::StrCat(seconds));
    const absl::Time start = absl::Now();
    cluster.AwaitStep(job, cluster.Job(job).status().step() + 1);
    const absl::Duration went_on = absl::Now() - start;
    const bool exact = ExpectExact(cluster.AwaitEnd(job));
    // By now the leases of before the jump are over by either clock.
    cluster.Await([&] { return absl::Now() - start > kLongerThanALease; });
    const int64_t step = cluster.Job(endless).status().step();
    cluster.Await([&] { return watcher.step() > step; });
    EXPECT_EQ(cluster.WorkerPids(), workers);
    // The wall clock did jump, in the daemon too.
    EXPECT_NEAR(LoggedClock(cluster), seconds, 100);
    Row("F21", absl::StrCat("the wall clock jumps by ", seconds, " s"),
        "no lease ends, training and watching go on", went_on, exact);
    Cancel(cluster.stub(), endless);
  }

 private:
  static constexpr absl::Duration kLongerThanALease = absl::Seconds(5);
};

TEST_F(ClockFaultsTest, F21AnHourForward) { ExpectAJumpIsHarmless(3600); }

TEST_F(ClockFaultsTest, F21AnHourBack) { ExpectAJumpIsHarmless(-3600); }

}  // namespace
}  // namespace hydra
