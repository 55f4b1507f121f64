#ifndef HYDRA_WORKER_EXEC_CACHE_TRIALS_H_
#define HYDRA_WORKER_EXEC_CACHE_TRIALS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "worker/exec/task_shape.h"

namespace hydra {

// Which tasks begin beside the device cache, of those that ran out of memory
// there. What lay where is not the same the next time, so one such task says
// little of the next one of its shape: each one that fails in a row has twice
// as many left out as the one before, and one that succeeds has none left out.
// So a shape that never fits costs the more rarely a task that is run twice,
// and one that fits mostly finds the cache again soon. Not thread-safe.
class CacheTrials {
 public:
  // Of a shape's tasks.
  static constexpr int64_t kMostLeftOut = 1 << 10;

  // Whether the task that comes now should begin beside the cache. Call it once
  // for each.
  bool MayTry(const TaskShape& shape) {
    const auto found = shapes_.find(shape);
    if (found == shapes_.end() || found->second.left_out == 0) return true;
    --found->second.left_out;
    return false;
  }

  void Failed(const TaskShape& shape) {
    if (shapes_.size() >= kMostShapes) shapes_.clear();
    Failures& failures = shapes_[shape];
    failures.next =
        std::min(std::max<int64_t>(1, 2 * failures.next), kMostLeftOut);
    failures.left_out = failures.next;
  }

  void Succeeded(const TaskShape& shape) { shapes_.erase(shape); }

 private:
  static constexpr size_t kMostShapes = 4096;

  struct Failures {
    // That many were left out after the last one.
    int64_t next = 0;
    // Of these, those that are yet to come.
    int64_t left_out = 0;
  };

  absl::flat_hash_map<TaskShape, Failures> shapes_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_CACHE_TRIALS_H_
