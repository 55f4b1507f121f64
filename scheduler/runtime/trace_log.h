#ifndef HYDRA_SCHEDULER_RUNTIME_TRACE_LOG_H_
#define HYDRA_SCHEDULER_RUNTIME_TRACE_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "scheduler/core/task_trace.h"

namespace hydra {

// The newest tasks that ended and the newest decisions, in memory, in the order
// in which the core told of them: those before are forgotten, and a daemon
// begins with none. Thread-safe; whoever writes waits for no reader longer than
// kMostInOneGo copies take.
class TraceLog {
 public:
  // What is kept at most: some 10 MB.
  struct Limit {
    size_t tasks = 50'000;
    size_t decisions = 20'000;
  };
  // `begin`: nothing was missed since.
  TraceLog(const Limit& limit, absl::Time begin);

  void Add(const TaskTrace& task) ABSL_LOCKS_EXCLUDED(mu_);
  void Add(const DecisionTrace& decision) ABSL_LOCKS_EXCLUDED(mu_);

  static constexpr size_t kMostInOneGo = 1000;
  template <typename T>
  struct Page {
    // At most kMostInOneGo; none: there are no more.
    std::vector<T> entries;
    // What to ask for next.
    uint64_t next = 0;
  };
  // Those from number `first` on; they are numbered from 0, those that are
  // forgotten included.
  Page<TaskTrace> Tasks(uint64_t first) const ABSL_LOCKS_EXCLUDED(mu_);
  Page<DecisionTrace> Decisions(uint64_t first) const ABSL_LOCKS_EXCLUDED(mu_);

  // All tasks that ended after this are here.
  absl::Time complete_since() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  template <typename T>
  struct Newest {
    std::deque<T> entries;
    // The first one's number.
    uint64_t first = 0;
  };
  template <typename T>
  static Page<T> PageOf(const Newest<T>& newest, uint64_t first);

  const Limit limit_;
  mutable absl::Mutex mu_;
  Newest<TaskTrace> tasks_ ABSL_GUARDED_BY(mu_);
  Newest<DecisionTrace> decisions_ ABSL_GUARDED_BY(mu_);
  absl::Time complete_since_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RUNTIME_TRACE_LOG_H_
