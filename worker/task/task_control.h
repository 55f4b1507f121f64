#ifndef HYDRA_WORKER_TASK_TASK_CONTROL_H_
#define HYDRA_WORKER_TASK_TASK_CONTROL_H_

#include <atomic>
#include <cstdint>
#include <exception>

#include "absl/status/status.h"

namespace hydra {

// Thrown by TaskControl::AdvanceOrThrow. Means absl::StatusCode::kAborted.
class TaskStopped : public std::exception {
 public:
  const char* what() const noexcept override {
    return "the task was stopped before its end";
  }
};

// How others follow a running task, and stop it. The task itself calls Advance
// each time that it got on: with a piece of a text, a tensor, a layer. Between
// two calls it cannot be stopped, so they should be less than a second apart.
//
// Thread-safe. Nothing blocks.
class TaskControl {
 public:
  // ABORTED: the task shall end here, and leave nothing.
  absl::Status Advance() {
    if (Step()) return absl::OkStatus();
    return absl::AbortedError(TaskStopped().what());
  }

  // The same for code that speaks in exceptions.
  void AdvanceOrThrow() {
    if (!Step()) throw TaskStopped();
  }

  // Asks the task to end at its next Advance.
  void Stop() { stopped_.store(true, std::memory_order_relaxed); }

  // How often the task got on.
  uint64_t progress() const {
    return progress_.load(std::memory_order_relaxed);
  }

 private:
  bool Step() {
    progress_.fetch_add(1, std::memory_order_relaxed);
    return !stopped_.load(std::memory_order_relaxed);
  }

  std::atomic<uint64_t> progress_ = 0;
  std::atomic<bool> stopped_ = false;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_TASK_TASK_CONTROL_H_
