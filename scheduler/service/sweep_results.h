#ifndef HYDRA_SCHEDULER_SERVICE_SWEEP_RESULTS_H_
#define HYDRA_SCHEDULER_SERVICE_SWEEP_RESULTS_H_

#include <vector>

#include "hydra/v1/hydra.pb.h"
#include "scheduler/service/job_reader.h"

namespace hydra {

// Puts a sweep's jobs in the order that GetResults promises, and sums up what
// they took. Pure.
void FillResults(std::vector<JobReader::Summary> jobs,
                 v1::GetResultsResponse* response);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_SWEEP_RESULTS_H_
