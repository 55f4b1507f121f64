#ifndef HYDRA_SCHEDULER_RUNTIME_DAEMON_METER_H_
#define HYDRA_SCHEDULER_RUNTIME_DAEMON_METER_H_

#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/v1/trace.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/core/task_trace.h"
#include "scheduler/runtime/histogram.h"

namespace hydra {

// What the daemon's turns and tasks took since it began: nothing here ever
// falls. Thread-safe; each call takes far less than a microsecond but
// numbers().
class DaemonMeter {
 public:
  // So many users have numbers of their own, those that came first; the rest
  // have theirs together, so that metrics stay few whoever submits.
  static constexpr size_t kMostUsers = 200;

  struct User {
    // One of those that came too late.
    bool other = false;
    // Means nothing with `other`.
    Caller caller;

    friend bool operator<(const User& a, const User& b) {
      return std::pair(a.other, a.caller) < std::pair(b.other, b.caller);
    }
    friend bool operator==(const User& a, const User& b) {
      return !(a < b) && !(b < a);
    }
  };
  struct LinkBytes {
    int64_t to_device = 0;
    int64_t to_host = 0;
  };
  struct Numbers {
    // Wall time of tasks that ended on devices, however they did: of all but
    // PREPARE, which runs beside them.
    absl::btree_map<std::pair<User, WorkerId>, absl::Duration> device_time;
    // The part of it that went into waiting for copies.
    absl::btree_map<WorkerId, absl::Duration> copy_time;
    absl::btree_map<WorkerId, LinkBytes> link_bytes;
    absl::btree_map<std::pair<WorkerId, hydra::v1::TaskOutcome>, int64_t> tasks;
    // Seconds from a turn's first event to what the core decided.
    Histogram decisions;
  };

  DaemonMeter();

  // `owner`: who submitted its job.
  void Add(const TaskTrace& task, const Caller& owner) ABSL_LOCKS_EXCLUDED(mu_);
  // A turn of the core: from its first event to its decisions.
  void AddTurn(absl::Duration took) ABSL_LOCKS_EXCLUDED(mu_);

  Numbers numbers() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  User UserOf(const Caller& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  Numbers numbers_ ABSL_GUARDED_BY(mu_);
  absl::btree_set<Caller> users_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RUNTIME_DAEMON_METER_H_
