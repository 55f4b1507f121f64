#include "scheduler/forecast/queued_job.h"

#include <vector>

#include "common/chain/task_chain.h"
#include "scheduler/core/intent.h"
#include "scheduler/core/time_model.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// None: not known yet.
std::optional<absl::Duration> Remaining(const Job& job) {
  if (job.in_chain()) return job.RemainingFrom(job.position);
  if (job.phase() != v1::JOB_PHASE_ADMISSION || job.partition == nullptr ||
      job.plan.total_steps == 0 || job.shape.shards.empty()) {
    return std::nullopt;
  }
  const auto& layers = job.partition->layers();
  const TimeModel estimates(
      job.shape, std::vector<v1::LayerProfile>(layers.begin(), layers.end()));
  return estimates.Remaining(job.shape, job.plan,
                             job.plan.resume.value_or(ChainPosition()),
                             TimeModel::Measure::kWall);
}

std::optional<double> MeasuredOverEstimated(const Job& job) {
  if (!job.in_chain() || job.steps.empty() ||
      job.estimated_step <= absl::ZeroDuration()) {
    return std::nullopt;
  }
  return absl::FDivDuration(job.times->StepTime(TimeModel::Measure::kWall),
                            job.estimated_step);
}

bool HasBegun(const Job& job) {
  return job.in_chain() && (job.position.phase != ChainPosition::Phase::kInit ||
                            !job.outstanding.empty());
}

}  // namespace

std::optional<QueuedJob> QueuedJobOf(const Job& job) {
  const bool goes_on = job.state() == v1::JOB_STATE_PENDING ||
                       job.state() == v1::JOB_STATE_RUNNING;
  if (!goes_on || job.ended() || Pauses(job.intent) ||
      job.intent == Intent::kHold) {
    return std::nullopt;
  }
  QueuedJob queued;
  queued.id = job.id;
  queued.sweep = job.sweep;
  queued.account = AccountOf(job);
  queued.priority = job.priority;
  queued.submitted = job.submitted_at;
  queued.remaining = Remaining(job);
  queued.measured_over_estimated = MeasuredOverEstimated(job);
  queued.assumed = job.partition == nullptr || job.partition->layers().empty();
  queued.admitted = job.in_chain();
  queued.begun = HasBegun(job);
  queued.demand = job.demand;
  queued.base = job.submitted.base_key;
  return queued;
}

Machine MachineOf(const CoreOptions& options) {
  Machine machine;
  machine.promised_bytes = PromisedBytes(options);
  machine.devices = static_cast<int>(options.devices.size());
  machine.lookahead = options.lookahead;
  machine.shares = options.shares;
  return machine;
}

}  // namespace hydra
