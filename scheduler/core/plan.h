#ifndef HYDRA_SCHEDULER_CORE_PLAN_H_
#define HYDRA_SCHEDULER_CORE_PLAN_H_

#include <string>

#include "absl/status/statusor.h"
#include "common/chain/task_chain.h"
#include "common/model/model_table.h"
#include "hydra/v1/job.pb.h"
#include "scheduler/core/job.h"

namespace hydra {

// What follows from a job's configuration, its model and its data alone, and so
// is never journalled. Pure.

// The table of the job's model.
//
// INVALID_ARGUMENT: as Describe.
absl::StatusOr<ModelTable> TableOf(const hydra::v1::JobSpec& spec,
                                   const std::string& model_config_json);

// What that follows from, as a text: equal texts, equal tables.
std::string TableContent(const hydra::v1::JobSpec& spec,
                         const std::string& model_config_json);

// How many steps and evaluations the job consists of. Requires job.splits.
//
// INVALID_ARGUMENT: the training split is shorter than one step, another one
//   shorter than one sequence, or an evaluation has more batches than a task
//   can number.
absl::StatusOr<ChainPlan> PlanOf(const Job& job);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_PLAN_H_
