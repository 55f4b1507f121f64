#ifndef HYDRA_SCHEDULER_SERVICE_PACE_H_
#define HYDRA_SCHEDULER_SERVICE_PACE_H_

#include <algorithm>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hydra {

// When the pieces of long calls may begin: one in each interval, whichever
// call's it is, and calls that have more of them take turns. So whoever changes
// very many jobs at once takes a bounded part of the core's time. Thread-safe.
class Pace {
 public:
  explicit Pace(absl::Duration interval) : interval_(interval) {}

  // How long the caller must wait with its next piece: until the next time that
  // nobody else has, and an interval at least, as its last one was just now.
  // Call it once for each piece, but for the first one of a call.
  absl::Duration Reserve(absl::Time now) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    last_ = std::max(last_, now) + interval_;
    return last_ - now;
  }

 private:
  const absl::Duration interval_;
  absl::Mutex mu_;
  // The latest time that somebody has.
  absl::Time last_ ABSL_GUARDED_BY(mu_) = absl::InfinitePast();
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_PACE_H_
