#ifndef HYDRA_WORKER_SESSION_TASK_QUEUE_H_
#define HYDRA_WORKER_SESSION_TASK_QUEUE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// The worker's side of the protocol with the daemon: what it holds, which task
// computes, and which reports are still owed.
//
// Not thread-safe; no I/O, no clock. At most one task is begun at a time.
//
// A task is in exactly one place: held, begun, or finished. It stays finished
// while its report is owed or the daemon lists it, so that it never runs twice.
//
// After a failed task its job is not gone on with: what follows would read what
// the failed task did not make. Held tasks of the job, and those that still
// arrive, fail with ABORTED without being begun, until a desired state lists
// none of the job's failed tasks; by then the daemon knows.
class TaskQueue {
 public:
  struct BegunTask {
    worker::v1::Task task;
    // Empty but for its id if the daemon did not describe the job.
    std::shared_ptr<const worker::v1::JobContext> job;
  };

  // Takes over what the daemon wants. False: `desired` is no newer than what
  // was taken over before, and nothing changed.
  //
  // A `stop` stays: held tasks are dropped and no other is taken.
  bool ApplyDesired(const worker::v1::DesiredState& desired);

  // Whether taking over `desired` would bring a task never seen here.
  bool BringsNewTask(const worker::v1::DesiredState& desired) const;

  // Begins the first held task in the daemon's order; none if nothing is held
  // or a task is begun.
  std::optional<BegunTask> Begin();

  // Ends the begun task, which must be the report's.
  void Finish(worker::v1::TaskReport report);

  // Sets `report`'s sequence numbers, held tasks and owed reports. Each call
  // takes a new sequence number.
  void FillReport(worker::v1::WorkerReport& report);

  bool can_begin() const { return !begun_ && !held_.empty(); }
  bool stopping() const { return stopping_; }

  // CHECKs what the class comment promises. For tests.
  void CheckInvariants() const;

 private:
  struct FinishedTask {
    uint64_t job_id = 0;
    bool failed = false;
    bool listed = true;
    bool owed = true;
  };
  using ContextMap =
      absl::flat_hash_map<uint64_t,
                          std::shared_ptr<const worker::v1::JobContext>>;

  void ForgetAcknowledged(const worker::v1::DesiredState& desired);
  void UpdateFinished(const worker::v1::DesiredState& desired);
  void ReplaceHeld(const worker::v1::DesiredState& desired);
  // Fails the held tasks of jobs with a failed task.
  void RefuseFollowers();
  void AddFinished(uint64_t job_id, worker::v1::TaskReport report);

  uint64_t report_sequence_ = 0;
  uint64_t desired_sequence_ = 0;
  bool stopping_ = false;
  std::optional<BegunTask> begun_;
  // Not begun, in the daemon's order.
  std::deque<BegunTask> held_;
  // In the order in which the tasks ended.
  std::vector<worker::v1::TaskReport> owed_;
  absl::flat_hash_map<uint64_t, FinishedTask> finished_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_TASK_QUEUE_H_
