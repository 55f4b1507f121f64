#ifndef HYDRA_SCHEDULER_RUNTIME_WORK_THREAD_H_
#define HYDRA_SCHEDULER_RUNTIME_WORK_THREAD_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace hydra {

// A thread that does one piece of work after the other, in the order in which
// they were added. Thread-safe.
class WorkThread {
 public:
  using Work = std::function<void()>;

  WorkThread();
  // Stops it.
  ~WorkThread();

  // Never waits. After Stop() has begun, the work is dropped.
  void Add(Work work) ABSL_LOCKS_EXCLUDED(mu_);

  // Returns when all that was added before is done and the thread has ended; so
  // work that may take long needs a way to learn of it. May be called again,
  // but not from the thread itself nor from two at once.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);

  absl::Mutex mu_;
  std::deque<Work> work_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RUNTIME_WORK_THREAD_H_
