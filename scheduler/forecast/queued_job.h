#ifndef HYDRA_SCHEDULER_FORECAST_QUEUED_JOB_H_
#define HYDRA_SCHEDULER_FORECAST_QUEUED_JOB_H_

#include <optional>

#include "scheduler/core/core_options.h"
#include "scheduler/core/job.h"
#include "scheduler/forecast/forecast.h"

namespace hydra {

// What a forecast knows of the job. None: it has ended or is paused, or its
// user wants one of these. Pure. Takes time in the number of its shards, and
// while it waits for room in the pool, of its layers.
std::optional<QueuedJob> QueuedJobOf(const Job& job);

// What it knows of the core's machine.
Machine MachineOf(const CoreOptions& options);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_FORECAST_QUEUED_JOB_H_
