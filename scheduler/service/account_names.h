#ifndef HYDRA_SCHEDULER_SERVICE_ACCOUNT_NAMES_H_
#define HYDRA_SCHEDULER_SERVICE_ACCOUNT_NAMES_H_

#include <sys/types.h>

#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "scheduler/runtime/work_thread.h"

namespace hydra {

// Users' names for people: looked up once, on a thread of its own, and kept, so
// that a directory service that does not answer keeps nobody waiting for long.
// Nothing is decided by them. Thread-safe.
class AccountNames {
 public:
  // `look_up`: a user's name; empty: it has none, or nobody can tell now.
  explicit AccountNames(std::function<std::string(uid_t)> look_up);

  // The user's name, or its number where there is none, or none yet. Waits a
  // fifth of a second for it, the first time.
  std::string Of(uid_t user) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Known {
    bool is_known = false;
    // Empty: it has none.
    std::string name;
    // What was not found may be there later.
    absl::Time look_again_at = absl::InfiniteFuture();
  };

  const std::function<std::string(uid_t)> look_up_;
  absl::Mutex mu_;
  absl::flat_hash_map<uid_t, Known> known_ ABSL_GUARDED_BY(mu_);
  // Ends first, when what it does is done.
  WorkThread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_ACCOUNT_NAMES_H_
