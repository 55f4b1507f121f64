#ifndef HYDRA_SCHEDULER_CORE_TASK_COST_H_
#define HYDRA_SCHEDULER_CORE_TASK_COST_H_

#include "common/ids/ids.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/job.h"
#include "scheduler/core/task_trace.h"

namespace hydra {

// What a task took, as its report says: for its job's totals, and for traces.
// Pure.

void AddCost(const hydra::worker::v1::TaskCost& cost,
             hydra::v1::JobTotals& totals);

// Where its device's time went in it, and before it. Of a PREPARE, which runs
// beside the device, nothing.
void AddDeviceTime(const TaskTrace& trace, hydra::v1::JobTotals& totals);

// Adds all of `more`.
void AddTotals(const hydra::v1::JobTotals& more, hydra::v1::JobTotals& totals);

// All but its outcome and when its device was free. Requires that it has begun.
TaskTrace TraceOf(JobId job, const OutstandingTask& task,
                  const hydra::worker::v1::TaskCost& cost);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TASK_COST_H_
