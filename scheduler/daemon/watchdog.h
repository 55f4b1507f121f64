#ifndef HYDRA_SCHEDULER_DAEMON_WATCHDOG_H_
#define HYDRA_SCHEDULER_DAEMON_WATCHDOG_H_

#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "common/clock/steady_event.h"

namespace hydra {

// Looks at once, and again so often, whether all is well, and says so each time
// that it is, until it is destroyed, which waits for a look that has begun.
class Watchdog {
 public:
  // Both are called on a thread of their own, one after the other.
  Watchdog(absl::Duration every, std::function<bool()> is_well,
           std::function<void()> say);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  SteadyEvent stopped_;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_WATCHDOG_H_
