#include "scheduler/service/health_reporter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "absl/synchronization/mutex.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

std::vector<v1::WorkerStatus> WorkersIn(std::vector<v1::WorkerState> states) {
  std::vector<v1::WorkerStatus> workers;
  for (v1::WorkerState state : states) {
    workers.emplace_back().set_state(state);
  }
  return workers;
}

TEST(CanServeTest, NeedsOneWorkerAndBothJournals) {
  const absl::Status ok;
  const absl::Status full = absl::ResourceExhaustedError("the disk is full");
  const auto some =
      WorkersIn({v1::WORKER_STATE_RESTARTING, v1::WORKER_STATE_READY});
  EXPECT_TRUE(CanServe(ok, ok, some));
  EXPECT_FALSE(CanServe(full, ok, some));
  EXPECT_FALSE(CanServe(ok, full, some));
  EXPECT_FALSE(CanServe(
      ok, ok,
      WorkersIn({v1::WORKER_STATE_STARTING, v1::WORKER_STATE_QUARANTINED})));
  EXPECT_FALSE(CanServe(ok, ok, {}));
}

class HealthReporterTest : public ::testing::Test {
 protected:
  void Report(bool serving) {
    absl::MutexLock lock(&mu_);
    reports_.push_back(serving);
  }
  // Returns once there are so many.
  std::vector<bool> Await(size_t count) {
    absl::MutexLock lock(&mu_);
    auto there = [&]() { return reports_.size() >= count; };
    mu_.Await(absl::Condition(&there));
    return reports_;
  }

  std::atomic<bool> can_serve_ = false;
  absl::Mutex mu_;
  std::vector<bool> reports_;
};

TEST_F(HealthReporterTest, SaysAtOnceHowItIsAndThenWhatChanges) {
  HealthReporter reporter([this] { return can_serve_.load(); },
                          [this](bool serving) { Report(serving); });
  EXPECT_EQ(Await(1), std::vector<bool>{false});
  can_serve_ = true;
  EXPECT_EQ(Await(2), (std::vector<bool>{false, true}));
  can_serve_ = false;
  EXPECT_EQ(Await(3), (std::vector<bool>{false, true, false}));
}

TEST_F(HealthReporterTest, ItsEndIsTheEndOfServing) {
  can_serve_ = true;
  HealthReporter reporter([this] { return can_serve_.load(); },
                          [this](bool serving) { Report(serving); });
  reporter.Stop();
  EXPECT_EQ(Await(2), (std::vector<bool>{true, false}));
  reporter.Stop();
  EXPECT_EQ(Await(2).size(), 2u);
}

}  // namespace
}  // namespace hydra
