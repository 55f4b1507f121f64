#include "worker/device/gpu_status.h"

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

void AwaitAnAnswer(const GpuMeter& meter) {
  while (!meter.newest().has_value()) absl::SleepFor(absl::Milliseconds(1));
}

TEST(GpuStatusTest, SaysWhatTheDriverSaysAndNoMore) {
  GpuMeter meter(
      "A card",
      [] {
        GpuReading reading;
        reading.use = 0.25;
        reading.memory_used_bytes = 3;
        return reading;
      },
      absl::Hours(1));
  AwaitAnAnswer(meter);
  const v1::GpuStatus status = GpuStatusOf(meter);
  EXPECT_EQ(status.model(), "A card");
  EXPECT_EQ(status.use(), 0.25);
  EXPECT_EQ(status.memory_used_bytes(), 3);
  EXPECT_FALSE(status.has_memory_total_bytes());
  EXPECT_FALSE(status.has_power_watts());
  EXPECT_FALSE(status.has_energy_joules());
}

TEST(TaskEnergyTest, IsWhatTheCardUsedMeanwhile) {
  GpuMeter meter(
      "",
      [] {
        GpuReading reading;
        reading.watts = 1e6;
        return reading;
      },
      absl::Hours(1));
  AwaitAnAnswer(meter);
  worker::v1::TaskCost first, second;
  const TaskEnergy outer(&meter);
  const TaskEnergy inner(&meter);
  absl::SleepFor(absl::Milliseconds(1));
  inner.Read(first);
  outer.Read(second);
  EXPECT_GE(first.energy_joules(), 1e3);
  EXPECT_GE(second.energy_joules(), first.energy_joules());
}

TEST(TaskEnergyTest, WithoutADriverNothingIsSaid) {
  worker::v1::TaskCost cost;
  TaskEnergy(nullptr).Read(cost);
  EXPECT_FALSE(cost.has_energy_joules());
}

}  // namespace
}  // namespace hydra
