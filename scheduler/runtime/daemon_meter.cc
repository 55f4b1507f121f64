#include "scheduler/runtime/daemon_meter.h"

#include <algorithm>

namespace hydra {

DaemonMeter::DaemonMeter()
    : numbers_{{},
               {},
               {},
               {},
               Histogram({0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                          0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5})} {}

DaemonMeter::User DaemonMeter::UserOf(const Caller& owner) {
  if (users_.size() < kMostUsers) users_.insert(owner);
  return users_.contains(owner) ? User{false, owner} : User{true, Caller()};
}

void DaemonMeter::Add(const TaskTrace& task, const Caller& owner) {
  absl::MutexLock lock(&mu_);
  ++numbers_.tasks[{task.worker, task.outcome}];
  if (task.kind == worker::v1::TASK_KIND_PREPARE) return;
  // A worker's clock may be set back while it runs.
  numbers_.device_time[{UserOf(owner), task.worker}] +=
      std::max(task.ended_at - task.begun_at, absl::ZeroDuration());
  numbers_.copy_time[task.worker] += std::max(task.copy, absl::ZeroDuration());
  LinkBytes& link = numbers_.link_bytes[task.worker];
  link.to_device += task.promoted_bytes;
  link.to_host += task.demoted_bytes;
}

void DaemonMeter::AddTurn(absl::Duration took) {
  absl::MutexLock lock(&mu_);
  numbers_.decisions.Add(absl::ToDoubleSeconds(took));
}

DaemonMeter::Numbers DaemonMeter::numbers() const {
  absl::MutexLock lock(&mu_);
  return numbers_;
}

}  // namespace hydra
