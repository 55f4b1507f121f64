// Which tasks look for their blocks in the device cache, by the room that they
// leave there.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

using worker::v1::TaskReport;

constexpr int64_t kPlenty = int64_t{32} << 20;

// Of a job whose every step is one task, most of which are parameters and
// gradients.
TinyJob::Options MostlyParameters() {
  TinyJob::Options options;
  options.vocabulary = 4000;
  options.layers = 1;
  options.sequences = 1;
  options.context = 8;
  return options;
}

struct Steps {
  // Of the first one.
  int64_t peak_bytes = 0;
  // That the last one found on the device.
  int64_t cached_bytes = 0;
  // Tasks that ran again for want of room.
  int again = 0;
};

Steps ThreeStepsOn(int64_t limit_bytes, const TinyJob::Options& options) {
  TinyJob job(options, testing::TempDir());
  const auto device = *CpuDevice::Create(0, limit_bytes / 64 * 64);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  Steps steps;
  for (int step = 0; step < 3; ++step) {
    const std::vector<TaskReport> reports = job.StepReports(runner);
    EXPECT_EQ(reports.size(), 1);
    if (step == 0) steps.peak_bytes = reports.front().cost().peak_bytes();
    steps.cached_bytes = reports.front().cost().cached_bytes();
    for (const std::string& line : job.log().lines) {
      if (absl::StrContains(line, "runs again")) ++steps.again;
    }
  }
  return steps;
}

// What the task needs of a device.
int64_t NeedOf(const TinyJob::Options& options) {
  return ThreeStepsOn(kPlenty, options).peak_bytes;
}

TEST(CacheUseTest, ATaskThatLeavesRoomFindsItsBlocksOnTheDevice) {
  const TinyJob::Options options = MostlyParameters();
  const Steps steps = ThreeStepsOn(2 * NeedOf(options), options);
  EXPECT_GT(steps.cached_bytes, 0);
  EXPECT_EQ(steps.again, 0);
}

TEST(CacheUseTest, ATaskThatNearlyFillsTheDeviceDoesNotTryTheCache) {
  const TinyJob::Options options = MostlyParameters();
  const Steps steps = ThreeStepsOn(NeedOf(options) * 32 / 30.5, options);
  EXPECT_EQ(steps.cached_bytes, 0);
  EXPECT_EQ(steps.again, 0);
}

// The first one runs as in a pilot, which leaves room for prefetching: that is
// no need of its own.
TEST(CacheUseTest, RoomThatAPilotLeavesDoesNotKeepATaskFromTheCache) {
  TinyJob::Options options = MostlyParameters();
  const int64_t limit_bytes = NeedOf(options) / 0.62;
  options.prefetch_bytes = limit_bytes * 3 / 10;
  const Steps steps = ThreeStepsOn(limit_bytes, options);
  EXPECT_GT(steps.cached_bytes, 0);
  EXPECT_EQ(steps.again, 0);
}

}  // namespace
}  // namespace hydra
