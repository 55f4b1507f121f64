#ifndef HYDRA_WORKER_SESSION_TASK_QUEUE_H_
#define HYDRA_WORKER_SESSION_TASK_QUEUE_H_

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/task/task_control.h"

namespace hydra {

// The worker's side of the protocol with the daemon: what it holds, which task
// computes, and which reports are still owed.
//
// Not thread-safe; no I/O, no clock: times are arguments, of any clock. At most
// one task is begun at a time in each of two lanes: one for those that need the
// device, one for those that work on the host alone and may take hours. Tasks
// of one job are never begun at the same time.
//
// A task is in exactly one place: held, begun, computed (what it made is on its
// way to the host, and its lane is free), or finished. It stays finished
// while its report is owed or the daemon lists it, so that it never runs twice.
//
// After a failed task its job is not gone on with: what follows would read what
// the failed task did not make. Held tasks of the job, and those that still
// arrive, fail with ABORTED without being begun, until a desired state lists
// none of the job's failed tasks; by then the daemon knows.
class TaskQueue {
 public:
  enum class Lane { kDevice, kHost };
  static constexpr int kLanes = 2;

  struct BegunTask {
    worker::v1::Task task;
    // As the daemon described the job, in this message or an earlier one. Empty
    // but for its id if it never did.
    std::shared_ptr<const worker::v1::JobContext> job;
    // Null until it begins. Progress is read from it, and the daemon's wish to
    // stop the task arrives there.
    std::shared_ptr<TaskControl> control;
    absl::Time begun_at;
  };

  // Takes over what the daemon wants. False: `desired` is no newer than what
  // was taken over before, and nothing changed.
  //
  // A `stop` stays: held tasks are dropped and no other is taken. A cancelled
  // task is told to stop if it has begun; else it fails with ABORTED.
  bool ApplyDesired(const worker::v1::DesiredState& desired);

  // Whether taking over `desired` would bring a task never seen here.
  bool BringsNewTask(const worker::v1::DesiredState& desired) const;

  // Begins the lane's first held task in the daemon's order; none if nothing is
  // held that may begin, or the lane has a begun task.
  std::optional<BegunTask> Begin(Lane lane, absl::Time now);

  // The lane's begun task needs its lane no more; Finish will follow.
  void Compute(Lane lane);

  // Ends a begun or computed task, which must be the report's.
  void Finish(worker::v1::TaskReport report);

  // Sets `report`'s sequence numbers, held tasks, kept contexts and owed
  // reports. Each call takes a new sequence number.
  void FillReport(worker::v1::WorkerReport& report, absl::Time now);

  // The task that the lane will begin when its begun one and `index` further
  // ones have ended, if nothing else comes meanwhile. Null: no such one is
  // held.
  const BegunTask* Next(Lane lane, int index) const;

  bool CanBegin(Lane lane) const { return FindNext(lane) != held_.end(); }
  // Tells all begun tasks to stop: nobody waits for them any more.
  void StopBegun();
  bool has_computed() const { return !computed_.empty(); }
  bool stopping() const { return stopping_; }

  // CHECKs what the class comment promises. For tests.
  void CheckInvariants() const;

 private:
  struct FinishedTask {
    JobId job;
    bool failed = false;
    bool listed = true;
    bool owed = true;
  };
  using Held = std::deque<BegunTask>;

  // What may begin in the lane now, and once its begun task and `index` further
  // ones have ended.
  Held::const_iterator FindNext(Lane lane) const;
  Held::const_iterator FindHeld(Lane lane, int index) const;
  // Begun or computed.
  bool IsBegun(TaskId task) const;
  // Its job; it is in no place then.
  JobId TakeBegun(TaskId task);
  void StopCancelled(const worker::v1::DesiredState& desired);
  void ForgetAcknowledged(const worker::v1::DesiredState& desired);
  void UpdateFinished(const worker::v1::DesiredState& desired);
  void TakeContexts(const worker::v1::DesiredState& desired);
  void ReplaceHeld(const worker::v1::DesiredState& desired);
  // Fails the held tasks of jobs with a failed task.
  void RefuseFollowers();
  void AddFinished(JobId job, worker::v1::TaskReport report);

  uint64_t report_sequence_ = 0;
  uint64_t desired_sequence_ = 0;
  bool stopping_ = false;
  // By lane.
  std::array<std::optional<BegunTask>, kLanes> begun_;
  // In the order in which they were computed.
  std::vector<BegunTask> computed_;
  // Not begun, in the daemon's order.
  Held held_;
  // What the daemon wants kept of what it said of jobs, by number.
  absl::btree_map<uint64_t, std::shared_ptr<const worker::v1::JobContext>>
      contexts_;
  // In the order in which the tasks ended.
  std::vector<worker::v1::TaskReport> owed_;
  absl::flat_hash_map<TaskId, FinishedTask> finished_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_TASK_QUEUE_H_
