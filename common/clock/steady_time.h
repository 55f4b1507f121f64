#ifndef HYDRA_COMMON_CLOCK_STEADY_TIME_H_
#define HYDRA_COMMON_CLOCK_STEADY_TIME_H_

#include "absl/time/time.h"

namespace hydra {

// A time to measure by: the wall clock's at this process's first call, plus the
// monotonic time since. It never goes back and never jumps, whatever is done to
// the wall clock, and so may differ from it later on. The time that the machine
// was suspended does not count. Thread-safe.
absl::Time SteadyNow();

}  // namespace hydra

#endif  // HYDRA_COMMON_CLOCK_STEADY_TIME_H_
