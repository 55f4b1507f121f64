#ifndef HYDRA_SCHEDULER_SERVICE_SWEEP_RESULTS_H_
#define HYDRA_SCHEDULER_SERVICE_SWEEP_RESULTS_H_

#include <vector>

#include "absl/status/status.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/service/job_reader.h"

namespace hydra {

// Puts a sweep's jobs in the order that GetResults promises, and sums up what
// they took. Pure.
void FillResults(std::vector<JobReader::Summary> jobs,
                 v1::GetResultsResponse* response);

// Answers GetResults for `caller`. Thread-safe; errors are JobReader's.
absl::Status ReadResults(const JobReader& reader, const Caller& caller,
                         SweepId sweep, v1::GetResultsResponse* response);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_SWEEP_RESULTS_H_
