#ifndef HYDRA_SCHEDULER_STORAGE_CHECKPOINT_THREAD_H_
#define HYDRA_SCHEDULER_STORAGE_CHECKPOINT_THREAD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/pool/pool_file.h"
#include "scheduler/core/actions.h"
#include "scheduler/runtime/work_thread.h"

namespace hydra {

// Writes and removes checkpoints on a thread of its own, one after another.
// Thread-safe.
class CheckpointThread {
 public:
  // Called on the thread.
  struct Callbacks {
    std::function<void(JobId, size_t block)> block_written;
    // Once for each Write() before Stop(). Errors: as WriteCheckpoint().
    std::function<void(JobId, const absl::StatusOr<int64_t>& bytes)> written;
    // A checkpoint stays. Errors: as RemoveCheckpoint(), but for NOT_FOUND.
    std::function<void(JobId, const absl::Status& why)> not_removed;
  };

  // `pool` must outlive this. A tokenizer is copied only from below
  // `read_roots`; none of them: from everywhere.
  CheckpointThread(const PoolFile* pool, std::vector<std::string> read_roots,
                   Callbacks callbacks);
  // Stops it.
  ~CheckpointThread();

  void Write(const CheckpointRequest& request);
  void Remove(const CheckpointRemoval& removal);
  // For other small things that wait for the disk.
  void Do(WorkThread::Work work);

  // Breaks off the checkpoint under way at the end of its block; it and those
  // that wait are reported as CANCELLED. Returns when removals and other things
  // that wait are done. What is asked for later is dropped without a report.
  // May be called again, but not from a callback nor from two threads at once.
  void Stop();

 private:
  absl::StatusOr<int64_t> WriteNow(const CheckpointRequest& request);

  const PoolFile* const pool_;
  const std::vector<std::string> read_roots_;
  const Callbacks callbacks_;
  std::atomic<bool> stopping_ = false;
  WorkThread thread_;  // The last: it uses the others.
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_CHECKPOINT_THREAD_H_
