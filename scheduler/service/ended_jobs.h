#ifndef HYDRA_SCHEDULER_SERVICE_ENDED_JOBS_H_
#define HYDRA_SCHEDULER_SERVICE_ENDED_JOBS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "common/ids/ids.h"
#include "scheduler/core/job_deletion.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/storage/job_history.h"

namespace hydra {

// The jobs, as Core::Delete takes them. Thread-safe; blocks on the disk.
//
// FAILED_PRECONDITION: one of them has not ended; says which, and the remedy.
// NOT_FOUND: one of them is not there.
absl::StatusOr<std::vector<EndedJob>> ReadEndedJobs(
    const ReadModel& model, const JobHistory& history,
    const std::vector<JobId>& jobs);

// Of these jobs, those that are among `ids`.
std::vector<EndedJob> Among(const std::vector<EndedJob>& jobs,
                            const std::vector<JobId>& ids);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_ENDED_JOBS_H_
