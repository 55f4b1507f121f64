#ifndef HYDRA_SCHEDULER_MEND_JOBS_H_
#define HYDRA_SCHEDULER_MEND_JOBS_H_

#include <string>

#include "absl/status/statusor.h"
#include "scheduler/journal/record_store.h"

namespace hydra {

// Makes the records of a salvaged jobs.db agree again, so that a daemon can go
// on with them: what belongs to a job whose submission is lost goes, and a
// sweep's record names the jobs that are left of it, also if it was lost. The
// number of starts, if it is lost, is set higher than it can have been, and
// another time to another number. A job whose progress is lost begins again,
// from its newest checkpoint.
//
// Says what it did, for people, a line each. Errors are the store's; DATA_LOSS
// also for a record that is no message of its table.
absl::StatusOr<std::string> MendJobs(RecordStore& jobs);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_MEND_JOBS_H_
