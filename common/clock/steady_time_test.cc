#include "common/clock/steady_time.h"

#include <chrono>

#include "absl/time/clock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(SteadyTimeTest, BeginsAtTheWallClocksTime) {
  const absl::Time before = absl::Now();
  EXPECT_LT(absl::AbsDuration(SteadyNow() - before), absl::Minutes(1));
}

TEST(SteadyTimeTest, GoesOnWithTheMonotonicClock) {
  const absl::Time first = SteadyNow();
  const auto inner_start = std::chrono::steady_clock::now();
  absl::Time now = first;
  while (now < first + absl::Milliseconds(2)) {
    const absl::Time next = SteadyNow();
    ASSERT_GE(next, now);
    now = next;
  }
  const auto inner = std::chrono::steady_clock::now() - inner_start;
  EXPECT_LE(absl::FromChrono(inner) - (SteadyNow() - first),
            absl::ZeroDuration());
}

}  // namespace
}  // namespace hydra
