#include "common/clock/steady_time.h"

#include <chrono>

#include "absl/time/clock.h"

namespace hydra {

absl::Time SteadyNow() {
  using Clock = std::chrono::steady_clock;
  static const absl::Time wall_start = absl::Now();
  static const Clock::time_point start = Clock::now();
  return wall_start + absl::FromChrono(Clock::now() - start);
}

}  // namespace hydra
