#include "common/clock/steady_event.h"

#include <memory>
#include <thread>

#include "common/clock/steady_time.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(SteadyEventTest, WaitsAsLongAsAskedForAndNoLonger) {
  SteadyEvent event;
  EXPECT_FALSE(event.HasHappened());
  EXPECT_FALSE(event.WaitFor(absl::ZeroDuration()));
  EXPECT_FALSE(event.WaitFor(-absl::Seconds(1)));
  const absl::Time start = SteadyNow();
  EXPECT_FALSE(event.WaitFor(absl::Milliseconds(5)));
  EXPECT_GE(SteadyNow() - start, absl::Milliseconds(5));
}

TEST(SteadyEventTest, HasHappenedForEver) {
  SteadyEvent event;
  event.Notify();
  event.Notify();
  EXPECT_TRUE(event.HasHappened());
  EXPECT_TRUE(event.WaitFor(absl::ZeroDuration()));
  EXPECT_TRUE(event.WaitFor(absl::InfiniteDuration()));
}

TEST(SteadyEventTest, WakesAWaitingThreadWhichMayDestroyIt) {
  for (int i = 0; i < 1000; ++i) {
    auto event = std::make_unique<SteadyEvent>();
    std::thread notifier([raw = event.get()] { raw->Notify(); });
    EXPECT_TRUE(event->WaitFor(absl::InfiniteDuration()));
    event.reset();
    notifier.join();
  }
}

}  // namespace
}  // namespace hydra
