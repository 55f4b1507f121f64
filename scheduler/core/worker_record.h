#ifndef HYDRA_SCHEDULER_CORE_WORKER_RECORD_H_
#define HYDRA_SCHEDULER_CORE_WORKER_RECORD_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/device_options.h"
#include "scheduler/core/lane_window.h"
#include "scheduler/core/sent_contexts.h"

namespace hydra {

// What tells one desired state from another.
struct DesiredKey {
  std::vector<TaskId> tasks;
  std::vector<uint64_t> acknowledged;
  uint64_t log_sequence = 0;
  bool stop = false;
  std::vector<TaskId> cancelled;

  friend bool operator==(const DesiredKey& a, const DesiredKey& b) {
    return std::tie(a.tasks, a.acknowledged, a.log_sequence, a.stop,
                    a.cancelled) == std::tie(b.tasks, b.acknowledged,
                                             b.log_sequence, b.stop,
                                             b.cancelled);
  }
};

// What the core knows of one worker. A plain record; not thread-safe.
struct WorkerRecord {
  WorkerId id;
  DeviceOptions device;

  hydra::v1::WorkerState state = hydra::v1::WORKER_STATE_STARTING;
  // 0: none runs.
  int64_t pid = 0;
  // The secret that this process attaches with.
  std::string session;
  // It was or will be killed for no fault of its task.
  bool blameless = false;
  // It said what cannot be, and will be killed for it.
  bool contradicted_itself = false;
  int restarts = 0;
  // It is not there, and was not for long.
  bool absent = false;
  // Since when it is not there.
  absl::Time missing_since = absl::InfiniteFuture();

  // The jobs whose tasks ended its process since it last finished one.
  std::vector<JobId> deaths;
  // Until then it gets no task; none: it is not in quarantine.
  std::optional<absl::Time> quarantined_until;
  // How often it was since it last finished a task.
  int quarantines = 0;
  std::string quarantine_reason;

  // It gets no more tasks since an operator said so, for this reason; none: he
  // did not.
  std::optional<std::string> drained;

  // Its process has called.
  bool has_called = false;
  // How its process ended before it could call. Empty: that was not so the last
  // time.
  std::string trouble;
  absl::Time attached_at = absl::InfinitePast();
  // The process may be older than this daemon, or its stream a later one.
  hydra::worker::v1::DeviceStatus status_when_attached;
  // When its process is killed unless it attaches again.
  absl::Time lease_until = absl::InfiniteFuture();

  // Its tasks, in the order in which it should run them.
  std::deque<std::pair<JobId, TaskId>> hand;
  // A new stream: whatever was sent on an earlier one may be lost.
  bool must_send = false;
  // Reports that its newest message listed.
  std::vector<uint64_t> acknowledged;
  uint64_t report_sequence = 0;
  // Of its log lines, those that were taken, and those that are kept.
  uint64_t log_sequence = 0;
  uint64_t kept_log_sequence = 0;
  // The number of the newest message to it, and what that said.
  uint64_t desired_sequence = 0;
  DesiredKey sent;
  // Of the jobs whose tasks it has or had.
  SentContexts contexts;

  hydra::worker::v1::DeviceStatus status;
  // See WorkerReport.task_format.
  uint32_t task_format = 0;
  // What its newest status says is on its device.
  absl::flat_hash_set<VersionId> cached;
  // Of its newest statuses.
  LaneWindow lanes;
  int64_t finished_tasks = 0;
  // Since when there is nothing for its device to do: no task but PREPARE in
  // its hand. Infinitely far: there is.
  absl::Time idle_since = absl::InfiniteFuture();
  // The end of the last such task, by its clock. Infinitely long ago: none.
  absl::Time device_free_at = absl::InfinitePast();

  bool ready() const { return state == hydra::v1::WORKER_STATE_READY; }
  // Whether a job may count on it.
  bool usable() const {
    return !absent && !quarantined_until.has_value() && !drained.has_value();
  }
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_WORKER_RECORD_H_
