#ifndef HYDRA_SCHEDULER_SERVICE_JOB_READER_H_
#define HYDRA_SCHEDULER_SERVICE_JOB_READER_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/service/client_request.h"
#include "scheduler/storage/job_history.h"

namespace hydra {

// Reads jobs for clients, wherever they are: in the read model, and what the
// core does not keep in jobs.db. None of it takes time of the core's thread but
// Settle. Thread-safe. What it is given must outlive it. `caller`: for whom it
// reads; whoever may enter may read all jobs.
//
// Errors of all: NOT_FOUND: there is no such job or sweep. UNAVAILABLE: the
// server is starting or stopping. Others: what reading jobs.db said.
class JobReader {
 public:
  JobReader(CoreThread* core, const ReadModel* model, const JobHistory* history)
      : core_(core), model_(model), history_(history) {}

  // The job, or the sweep's jobs, in their order; not AllJobs.
  absl::StatusOr<std::vector<JobId>> JobsOf(const Caller& caller,
                                            const Target& target) const;

  struct Summary {
    v1::JobStatus status;
    v1::JobTotals totals;
  };
  absl::StatusOr<Summary> SummaryOf(const Caller& caller, JobId job) const;
  absl::StatusOr<v1::JobStatus> StatusOf(const Caller& caller, JobId job) const;
  // All of them, in the same order.
  absl::StatusOr<std::vector<v1::JobStatus>> StatusesOf(
      const Caller& caller, const std::vector<JobId>& jobs) const;

  // INVALID_ARGUMENT: as the request's fields say.
  absl::Status List(const Caller& caller, const v1::ListJobsRequest& request,
                    v1::ListJobsResponse* response) const;

  // All that is known, with at most `max_steps` of the newest steps.
  absl::StatusOr<v1::JobDetail> Detail(const Caller& caller, JobId job,
                                       int max_steps) const;

  // INVALID_ARGUMENT: as the request's fields say.
  absl::Status Metrics(const Caller& caller,
                       const v1::ListMetricsRequest& request,
                       v1::ListMetricsResponse* response) const;

  // Returns once the read model shows what the core has done until now. Others:
  // as CannotRecord.
  absl::Status Settle() const;

 private:
  absl::Status ListOld(const Caller& caller, SweepId sweep,
                       const v1::ListJobsRequest& request,
                       v1::ListJobsResponse* response) const;

  CoreThread* const core_;
  const ReadModel* const model_;
  const JobHistory* const history_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_JOB_READER_H_
