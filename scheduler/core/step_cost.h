#ifndef HYDRA_SCHEDULER_CORE_STEP_COST_H_
#define HYDRA_SCHEDULER_CORE_STEP_COST_H_

#include <cstdint>
#include <optional>

#include "common/chain/job_shape.h"
#include "common/chain/task_chain.h"
#include "hydra/journal/v1/journal.pb.h"
#include "hydra/v1/job.pb.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/step_log.h"

namespace hydra {

// What a job's training steps took, from what their tasks did. Pure.

// Takes in a committed task of the job's chain, which came after all that are
// in `under_way`; absent: some of the step's tasks are not known. Returns what
// the whole step took if this was its last task and all are known.
std::optional<journal::v1::StepCost> AddToStep(
    const JobShape& shape, const ChainPosition& position,
    const hydra::worker::v1::TaskCost& cost,
    std::optional<journal::v1::StepCost>& under_way);

// Adds what a whole step moved, whose last task updated at `updates`, to what
// the steps before it did, with what was to be expected. The job's first step
// does not count. Nothing is known of tasks of an earlier version's worker.
void AddTraffic(const JobShape& shape, const ChainPosition& position,
                const journal::v1::StepCost& step,
                hydra::v1::UpdatePlace updates,
                hydra::v1::StepTraffic& traffic);

// Tokens a second of device time, of the newest steps, see
// JobStatus.tokens_per_second; 0: of none it is known.
double RecentRate(const StepLog& steps, int64_t step_tokens);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_STEP_COST_H_
