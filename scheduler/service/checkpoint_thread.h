#ifndef HYDRA_SCHEDULER_SERVICE_CHECKPOINT_THREAD_H_
#define HYDRA_SCHEDULER_SERVICE_CHECKPOINT_THREAD_H_

#include <atomic>
#include <deque>
#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/pool/pool_file.h"
#include "scheduler/core/effects.h"

namespace hydra {

// Writes and removes checkpoints on a thread of its own, one after another.
// Thread-safe.
class CheckpointThread {
 public:
  // Called on the thread.
  struct Callbacks {
    std::function<void(JobId, size_t block)> block_written;
    std::function<void(JobId, const absl::StatusOr<int64_t>& bytes)> written;
  };

  // `pool` must outlive this.
  CheckpointThread(const PoolFile* pool, Callbacks callbacks);
  // Breaks off the one under way, and drops what waits.
  ~CheckpointThread();

  void Write(const CheckpointRequest& request) ABSL_LOCKS_EXCLUDED(mu_);
  void Remove(const std::string& path) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Work = std::function<void()>;

  void Add(Work work) ABSL_LOCKS_EXCLUDED(mu_);
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<int64_t> WriteNow(const CheckpointRequest& request);

  const PoolFile* const pool_;
  const Callbacks callbacks_;
  std::atomic<bool> stopping_ = false;
  absl::Mutex mu_;
  std::deque<Work> work_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_CHECKPOINT_THREAD_H_
