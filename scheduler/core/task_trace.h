#ifndef HYDRA_SCHEDULER_CORE_TASK_TRACE_H_
#define HYDRA_SCHEDULER_CORE_TASK_TRACE_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "common/chain/layer_range.h"
#include "common/ids/ids.h"
#include "hydra/v1/trace.pb.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// One task that a worker ran to its end: what it was, when, and what it took.
// For people who ask where the time goes; nothing is decided by it. A value.
struct TaskTrace {
  JobId job;
  WorkerId worker;
  hydra::worker::v1::TaskKind kind = hydra::worker::v1::TASK_KIND_UNSPECIFIED;
  hydra::worker::v1::Split split = hydra::worker::v1::SPLIT_UNSPECIFIED;
  int shard = 0;
  LayerRange layers;
  int64_t step = 0;
  int first_micro_batch = 0;
  int last_micro_batch = 0;
  hydra::v1::TaskOutcome outcome = hydra::v1::TASK_OUTCOME_UNSPECIFIED;

  // By the daemon's clock. Infinitely long ago: by an earlier daemon.
  absl::Time handed_out_at = absl::InfinitePast();
  // Since when the daemon had nothing to compute for its device, when it was
  // handed out. Infinitely far: it had.
  absl::Time idle_since = absl::InfiniteFuture();
  // By the worker's clock, as the next two: the end of the task that its device
  // computed before it. Infinitely long ago: there was none, or it is a
  // PREPARE, which runs beside the device.
  absl::Time device_free_at = absl::InfinitePast();
  absl::Time begun_at;
  absl::Time ended_at;

  absl::Duration compute;
  absl::Duration copy;
  int64_t promoted_bytes = 0;
  int64_t demoted_bytes = 0;
  int64_t cached_bytes = 0;
  int64_t peak_bytes = 0;
};

// What the device waited for between the task before and this one.
struct DeviceWait {
  hydra::v1::DeviceWaitKind kind = hydra::v1::DEVICE_WAIT_KIND_UNSPECIFIED;
  absl::Time begin;
  absl::Time end;
};

// In their order; they follow each other, and together are all of the time from
// device_free_at to begun_at. None if the device began it at once.
std::vector<DeviceWait> WaitsBefore(const TaskTrace& task);

// Something that the daemon decided, or learned of, at a moment.
struct DecisionTrace {
  hydra::v1::DecisionKind kind = hydra::v1::DECISION_KIND_UNSPECIFIED;
  absl::Time at;
  JobId job;
  // 0: it is about no device.
  WorkerId worker;
  int64_t step = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TASK_TRACE_H_
