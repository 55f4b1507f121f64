#include "client/connection/interrupt.h"

#include <thread>

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(InterruptTest, TellsListenersOnce) {
  Interrupt interrupt;
  int calls = 0;
  Interrupt::Scope scope(&interrupt, [&] { ++calls; });
  EXPECT_FALSE(interrupt.triggered());
  EXPECT_TRUE(interrupt.Trigger());
  EXPECT_FALSE(interrupt.Trigger());
  EXPECT_TRUE(interrupt.triggered());
  EXPECT_EQ(calls, 1);
}

TEST(InterruptTest, SaysThatNobodyListened) {
  Interrupt interrupt;
  int calls = 0;
  {
    Interrupt::Scope scope(&interrupt, [&] { ++calls; });
  }
  EXPECT_FALSE(interrupt.Trigger());
  EXPECT_EQ(calls, 0);
}

TEST(InterruptTest, ALateListenerIsToldAtOnce) {
  Interrupt interrupt;
  interrupt.Trigger();
  int calls = 0;
  Interrupt::Scope scope(&interrupt, [&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(InterruptTest, EndsAWait) {
  Interrupt interrupt;
  EXPECT_FALSE(interrupt.WaitFor(absl::ZeroDuration()));
  std::thread trigger([&] { interrupt.Trigger(); });
  EXPECT_TRUE(interrupt.WaitFor(absl::InfiniteDuration()));
  trigger.join();
}

}  // namespace
}  // namespace hydra
