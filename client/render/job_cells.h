#ifndef HYDRA_CLIENT_RENDER_JOB_CELLS_H_
#define HYDRA_CLIENT_RENDER_JOB_CELLS_H_

#include <string>

#include "client/render/table.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// Table cells that several displays of jobs share. Pure. What a job does not
// have yet is "-".

// "completed" in green, and so on.
Cell StateCell(const v1::JobStatus& job);
// The phase of a job that runs or waits, else "-".
std::string PhaseText(const v1::JobStatus& job);
// The same, else its state.
Cell PhaseCell(const v1::JobStatus& job);
// "17/120", or "17" before the total is known.
std::string StepText(const v1::JobStatus& job);
std::string TrainLossText(const v1::JobStatus& job);
std::string ValidationLossText(const v1::JobStatus& job);
std::string ValidationPerplexityText(const v1::JobStatus& job);
std::string TestPerplexityText(const v1::JobStatus& job);
std::string TokensPerSecondText(const v1::JobStatus& job);
// Of a job that has not ended.
std::string RemainingText(const v1::JobStatus& job);
// The sweep's values of this job, or its name where there are none.
std::string ParametersText(const v1::JobStatus& job);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_JOB_CELLS_H_
