#include "worker/session/compute_clock.h"

#include <thread>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

int64_t Nanos(const google::protobuf::Duration& duration) {
  return duration.seconds() * 1000000000 + duration.nanos();
}

TEST(ComputeClockTest, AddsUpTheTimeWithATask) {
  const absl::Time start = absl::UnixEpoch();
  ComputeClock clock;
  worker::v1::DeviceStatus status;
  clock.BeginTask(start);
  clock.EndTask(start + absl::Milliseconds(1500));
  clock.Fill(start + absl::Seconds(10), status);
  EXPECT_EQ(Nanos(status.busy()), 1500000000);
  clock.BeginTask(start + absl::Seconds(20));
  clock.Fill(start + absl::Seconds(21), status);
  EXPECT_EQ(Nanos(status.busy()), 2500000000) << "the task under way counts";
}

TEST(ComputeClockTest, ReadsItsOwnThreadsCpuTimeFromAnyThread) {
  ComputeClock clock;
  worker::v1::DeviceStatus before, after;
  clock.Fill(absl::Now(), before);
  do {
    std::thread([&] { clock.Fill(absl::Now(), after); }).join();
  } while (Nanos(after.compute_cpu()) <= Nanos(before.compute_cpu()));
  EXPECT_GT(Nanos(before.compute_cpu()), 0);
}

}  // namespace
}  // namespace hydra
