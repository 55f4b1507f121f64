#ifndef HYDRA_WORKER_EXEC_HOST_THREAD_H_
#define HYDRA_WORKER_EXEC_HOST_THREAD_H_

#include <cstdint>
#include <deque>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace hydra {

// A thread that does what it is given, one thing after another. It begins with
// the first one, as a child of who gave it, whose floating-point settings it
// has.
//
// Thread-safe.
class HostThread {
 public:
  HostThread() = default;
  // Does what is left.
  ~HostThread();

  HostThread(const HostThread&) = delete;
  HostThread& operator=(const HostThread&) = delete;

  // The work's number, from 1. It may throw.
  uint64_t Do(absl::AnyInvocable<void()> work) ABSL_LOCKS_EXCLUDED(mu_);

  bool IsDone(uint64_t number) const ABSL_LOCKS_EXCLUDED(mu_);

  // Waits for the work with the number `last` and all before it. What the first
  // one behind `after` threw is thrown as c10::Error, whoever asks and however
  // often; the work behind it was done.
  void Await(uint64_t after, uint64_t last) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  mutable absl::Mutex mu_;
  // The first one may be under way.
  std::deque<absl::AnyInvocable<void()>> work_ ABSL_GUARDED_BY(mu_);
  uint64_t done_ ABSL_GUARDED_BY(mu_) = 0;
  // What work threw, by its number.
  absl::btree_map<uint64_t, std::string> failures_ ABSL_GUARDED_BY(mu_);
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_HOST_THREAD_H_
