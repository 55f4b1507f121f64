#include "scheduler/core/task_cost.h"

#include "common/status/proto_time.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

void AddTo(absl::Duration more, google::protobuf::Duration& sum) {
  sum = ToProto(FromProto(sum) + more);
}

// Of a cost or of totals.
template <typename Message>
void AddEnergy(const Message& more, v1::JobTotals& totals) {
  if (!more.has_energy_joules()) return;
  totals.set_energy_joules(totals.energy_joules() + more.energy_joules());
}

}  // namespace

void AddCost(const wv1::TaskCost& cost, v1::JobTotals& totals) {
  totals.set_tasks(totals.tasks() + 1);
  totals.set_promoted_bytes(totals.promoted_bytes() + cost.promoted_bytes());
  totals.set_demoted_bytes(totals.demoted_bytes() + cost.demoted_bytes());
  totals.set_cached_bytes(totals.cached_bytes() + cost.cached_bytes());
  AddTo(FromProto(cost.compute()), *totals.mutable_compute());
  AddEnergy(cost, totals);
}

void AddDeviceTime(const TaskTrace& trace, v1::JobTotals& totals) {
  if (trace.kind == wv1::TASK_KIND_PREPARE) return;
  AddTo(trace.ended_at - trace.begun_at, *totals.mutable_device());
  AddTo(trace.copy, *totals.mutable_copy());
  for (const DeviceWait& wait : WaitsBefore(trace)) {
    const absl::Duration length = wait.end - wait.begin;
    switch (wait.kind) {
      case v1::DEVICE_WAIT_KIND_IDLE:
        AddTo(length, *totals.mutable_idle());
        break;
      case v1::DEVICE_WAIT_KIND_WORKER:
        AddTo(length, *totals.mutable_between_tasks());
        break;
      default:
        AddTo(length, *totals.mutable_wait_for_server());
    }
  }
}

void AddTotals(const v1::JobTotals& more, v1::JobTotals& totals) {
  totals.set_tasks(totals.tasks() + more.tasks());
  totals.set_retried_tasks(totals.retried_tasks() + more.retried_tasks());
  totals.set_promoted_bytes(totals.promoted_bytes() + more.promoted_bytes());
  totals.set_demoted_bytes(totals.demoted_bytes() + more.demoted_bytes());
  totals.set_cached_bytes(totals.cached_bytes() + more.cached_bytes());
  totals.set_nonfinite_steps(totals.nonfinite_steps() + more.nonfinite_steps());
  AddTo(FromProto(more.compute()), *totals.mutable_compute());
  AddTo(FromProto(more.device()), *totals.mutable_device());
  AddTo(FromProto(more.copy()), *totals.mutable_copy());
  AddTo(FromProto(more.wait_for_server()), *totals.mutable_wait_for_server());
  AddTo(FromProto(more.idle()), *totals.mutable_idle());
  AddTo(FromProto(more.between_tasks()), *totals.mutable_between_tasks());
  AddEnergy(more, totals);
}

TaskTrace TraceOf(JobId job, const OutstandingTask& task,
                  const wv1::TaskCost& cost) {
  TaskTrace trace;
  trace.job = job;
  trace.worker = task.worker;
  trace.kind = task.task.kind;
  trace.split = task.task.split;
  trace.shard = task.task.shard;
  trace.layers = task.task.layers;
  trace.step = task.task.step;
  trace.first_micro_batch = task.task.first_micro_batch;
  trace.last_micro_batch = task.task.last_micro_batch;
  trace.handed_out_at = task.handed_out_at;
  trace.idle_since = task.idle_since;
  trace.begun_at = FromProto(cost.begun());
  trace.ended_at = trace.begun_at + FromProto(cost.wall());
  trace.compute = FromProto(cost.compute());
  trace.copy = FromProto(cost.copy());
  trace.promoted_bytes = cost.promoted_bytes();
  trace.demoted_bytes = cost.demoted_bytes();
  trace.cached_bytes = cost.cached_bytes();
  trace.peak_bytes = cost.peak_bytes();
  return trace;
}

}  // namespace hydra
