#ifndef HYDRA_SCHEDULER_CORE_DETAIL_PARTS_H_
#define HYDRA_SCHEDULER_CORE_DETAIL_PARTS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/shared/shared.h"
#include "hydra/journal/v1/journal.pb.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/core/step_log.h"

namespace hydra {

// What the core knows of a job that its details show beside its status and what
// was submitted. A value; its copies share all that may be large, so that each
// state of a job can be published with it.
struct DetailParts {
  // Null until it is known; jobs that are cut alike share it.
  std::shared_ptr<const hydra::v1::Partition> partition;
  std::optional<hydra::v1::PoolDemand> demand;
  StepLog steps;
  Shared<std::vector<hydra::v1::EvaluationMetrics>> evaluations;
  hydra::v1::JobTotals totals;
  // Since it began, or began again from a checkpoint.
  hydra::v1::StepTraffic traffic;
  // Oldest first; all of them are whole and on the disk.
  Shared<std::vector<journal::v1::CheckpointRecord>> checkpoints;
  // What PREPARE warned of.
  Shared<std::vector<std::string>> prepare_warnings;
};

// As of a job that has not begun.
bool IsEmpty(const DetailParts& parts);

// Writes them into `detail`, with at most `max_steps` of the newest steps, of
// those that are in memory; the warnings come behind those that are there.
void AddParts(const DetailParts& parts, int max_steps,
              hydra::v1::JobDetail& detail);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_DETAIL_PARTS_H_
