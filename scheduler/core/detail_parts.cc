#include "scheduler/core/detail_parts.h"

namespace hydra {

bool IsEmpty(const DetailParts& parts) {
  return parts.partition == nullptr && parts.steps.empty() &&
         parts.evaluations->empty() && parts.checkpoints->empty() &&
         parts.prepare_warnings->empty() && parts.totals.ByteSizeLong() == 0;
}

void AddParts(const DetailParts& parts, int max_steps, v1::JobDetail& detail) {
  if (parts.partition != nullptr) {
    *detail.mutable_partition() = *parts.partition;
  }
  if (parts.demand.has_value()) *detail.mutable_pool_demand() = *parts.demand;
  const std::vector<v1::StepMetrics> steps = parts.steps.Newest(max_steps);
  detail.mutable_steps()->Assign(steps.begin(), steps.end());
  detail.mutable_evaluations()->Assign(parts.evaluations->begin(),
                                       parts.evaluations->end());
  *detail.mutable_totals() = parts.totals;
  if (parts.traffic.steps() > 0) *detail.mutable_traffic() = parts.traffic;
  for (const journal::v1::CheckpointRecord& checkpoint : *parts.checkpoints) {
    *detail.add_checkpoints() = checkpoint.info();
  }
  detail.mutable_warnings()->Add(parts.prepare_warnings->begin(),
                                 parts.prepare_warnings->end());
}

}  // namespace hydra
