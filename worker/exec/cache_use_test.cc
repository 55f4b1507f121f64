// Which tasks look for their blocks in the device cache, by the room that they
// leave there.

#include <cstdint>
#include <string>

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
  options.width = 128;
  options.layers = 1;
  options.sequences = 1;
  options.context = 8;
  return options;
}

struct Steps {
  // The device had room for all of them.
  bool fit = true;
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
  for (int step = 0; step < 3 && steps.fit; ++step) {
    const TaskReport report = job.TryStep(runner).back();
    steps.fit = !report.has_error();
    if (step == 0) steps.peak_bytes = report.cost().peak_bytes();
    steps.cached_bytes = report.cost().cached_bytes();
    for (const std::string& line : job.log().lines) {
      if (absl::StrContains(line, "runs again")) ++steps.again;
    }
    job.log().lines.clear();
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
  EXPECT_TRUE(steps.fit);
  EXPECT_GT(steps.cached_bytes, 0);
  EXPECT_EQ(steps.again, 0);
}

TEST(CacheUseTest, ATaskThatNearlyFillsTheDeviceDoesNotTryTheCache) {
  const TinyJob::Options options = MostlyParameters();
  const double need = static_cast<double>(NeedOf(options));
  // The smallest device on which it runs, and a pilot's fiftieth more.
  double part = 0.5;
  while (!ThreeStepsOn(part * need, options).fit) part += 0.01;
  part *= 1.03;
  const Steps steps = ThreeStepsOn(part * need, options);
  EXPECT_TRUE(steps.fit);
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
