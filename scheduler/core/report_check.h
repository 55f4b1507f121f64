#ifndef HYDRA_SCHEDULER_CORE_REPORT_CHECK_H_
#define HYDRA_SCHEDULER_CORE_REPORT_CHECK_H_

#include "absl/status/status.h"
#include "common/chain/job_shape.h"
#include "common/chain/task_chain.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Whether a report can be one of `task`, of a job of this shape: a worker's
// word is not trusted where the daemon computes with it. Pure.
//
// INTERNAL: it cannot; the worker is at fault, and not the job.
absl::Status CheckReport(const JobShape& shape, const ChainTask& task,
                         const worker::v1::TaskReport& report);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_REPORT_CHECK_H_
