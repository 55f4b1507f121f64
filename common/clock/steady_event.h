#ifndef HYDRA_COMMON_CLOCK_STEADY_EVENT_H_
#define HYDRA_COMMON_CLOCK_STEADY_EVENT_H_

#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace hydra {

// Something that happens once, and that threads wait for by the monotonic
// clock. Abseil's timed waits follow the wall clock: set back by an hour, it
// makes them an hour longer.
//
// Thread-safe. May be destroyed once a wait returned true.
class SteadyEvent {
 public:
  // It happened. May be called again.
  void Notify();

  bool HasHappened() const;

  // Waits until it happened, but no longer than `timeout`. Returns whether it
  // happened.
  bool WaitFor(absl::Duration timeout) const;

 private:
  mutable std::mutex mu_;
  mutable std::condition_variable changed_;
  // Guarded by mu_.
  bool happened_ = false;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_CLOCK_STEADY_EVENT_H_
