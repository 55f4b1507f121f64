#include "worker/device/gpu_meter.h"

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "common/clock/steady_time.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr absl::Duration kOften = absl::Microseconds(100);

TEST(GpuMeterTest, HasTheNewestAnswer) {
  int asked = 0;
  GpuMeter meter(
      "A card",
      [&asked] {
        GpuReading reading;
        reading.joules = ++asked;
        return reading;
      },
      kOften);
  EXPECT_EQ(meter.model(), "A card");
  while (meter.newest().value_or(GpuReading()).joules.value_or(0) < 3) {
    absl::SleepFor(kOften);
  }
  EXPECT_GE(meter.JoulesAt(SteadyNow()).value(), 2);
}

TEST(GpuMeterTest, ADriverThatDoesNotAnswerHoldsNobodyUp) {
  absl::Notification answer;
  GpuMeter meter(
      "",
      [&answer] {
        answer.WaitForNotification();
        return GpuReading();
      },
      kOften);
  EXPECT_FALSE(meter.newest().has_value());
  EXPECT_FALSE(meter.JoulesAt(SteadyNow()).has_value());
  answer.Notify();
}

TEST(GpuMeterTest, WithoutADriverThereIsNone) {
  const auto meter = GpuMeter::OfDriver("0000:3B:00.0");
  if (meter.ok()) GTEST_SKIP() << "there is a GPU";
  EXPECT_FALSE(meter.status().message().empty());
}

}  // namespace
}  // namespace hydra
