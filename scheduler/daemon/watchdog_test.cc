#include "scheduler/daemon/watchdog.h"

#include <gtest/gtest.h>

#include <atomic>

namespace hydra {
namespace {

TEST(WatchdogTest, SaysSoEachTimeThatAllIsWell) {
  std::atomic<int> looks = 0;
  std::atomic<int> said = 0;
  SteadyEvent enough;
  {
    Watchdog watchdog(
        absl::ZeroDuration(), [&looks] { return ++looks % 2 == 0; },
        [&] {
          if (++said == 3) enough.Notify();
        });
    EXPECT_TRUE(enough.WaitFor(absl::InfiniteDuration()));
  }
  EXPECT_EQ(said, looks / 2);
}

TEST(WatchdogTest, LooksAtOnceAndEndsAtOnce) {
  SteadyEvent looked;
  Watchdog watchdog(
      absl::Hours(1),
      [&looked] {
        looked.Notify();
        return true;
      },
      [] {});
  EXPECT_TRUE(looked.WaitFor(absl::InfiniteDuration()));
}

}  // namespace
}  // namespace hydra
