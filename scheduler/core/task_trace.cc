#include "scheduler/core/task_trace.h"

#include <algorithm>

namespace hydra {

std::vector<DeviceWait> WaitsBefore(const TaskTrace& task) {
  const absl::Time begin = task.device_free_at;
  const absl::Time end = task.begun_at;
  if (begin == absl::InfinitePast() || end <= begin) return {};
  std::vector<DeviceWait> waits;
  const auto add = [&waits](v1::DeviceWaitKind kind, absl::Time from,
                            absl::Time to) {
    if (from < to) waits.push_back({kind, from, to});
  };
  if (task.handed_out_at <= begin) {
    add(v1::DEVICE_WAIT_KIND_WORKER, begin, end);
    return waits;
  }
  const absl::Time told = std::clamp(task.handed_out_at, begin, end);
  const absl::Time idle = std::clamp(task.idle_since, begin, told);
  add(v1::DEVICE_WAIT_KIND_DAEMON, begin, idle);
  add(v1::DEVICE_WAIT_KIND_IDLE, idle, told);
  add(v1::DEVICE_WAIT_KIND_DAEMON, told, end);
  return waits;
}

}  // namespace hydra
