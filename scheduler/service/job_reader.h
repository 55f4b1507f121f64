#ifndef HYDRA_SCHEDULER_SERVICE_JOB_READER_H_
#define HYDRA_SCHEDULER_SERVICE_JOB_READER_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/forecast/forecast.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/service/access.h"
#include "scheduler/service/account_names.h"
#include "scheduler/service/client_request.h"
#include "scheduler/service/job_filter.h"
#include "scheduler/storage/job_history.h"

namespace hydra {

// Reads jobs for clients, wherever they are: in the read model, and what the
// core does not keep in jobs.db; of each, what the caller may know. None of it
// takes time of the core's thread but Settle. Thread-safe. What it is given
// must outlive it.
//
// Errors of all: NOT_FOUND: there is no such job or sweep, or the caller may
// not know that there is. PERMISSION_DENIED: the caller may not do that.
// UNAVAILABLE: the server is starting or stopping. Others: what reading jobs.db
// said.
class JobReader {
 public:
  // `names`: null: owners are shown by their numbers. `forecast`: empty: none
  // is shown.
  JobReader(CoreThread* core, const ReadModel* model, const JobHistory* history,
            AccessPolicy access = {}, AccountNames* names = nullptr,
            ForecastSource forecast = nullptr)
      : core_(core),
        model_(model),
        history_(history),
        access_(std::move(access)),
        names_(names),
        forecast_(std::move(forecast)) {}

  // Whether the caller has the right to all of the target's jobs: they are one
  // user's. Always to AllJobs.
  absl::Status Check(const Caller& caller, const Target& target,
                     Right right) const;
  // Of a job that may not be there, in which case it is kForbidden.
  Answer AnswerTo(const Caller& caller, JobId job, Right right) const;

  // The job, or the sweep's jobs, in their order; not AllJobs. Checks `right`.
  absl::StatusOr<std::vector<JobId>> JobsOf(const Caller& caller,
                                            const Target& target,
                                            Right right) const;

  struct Summary {
    v1::JobStatus status;
    v1::JobTotals totals;
  };
  // Of a job that the caller may read, as all of these.
  absl::StatusOr<Summary> SummaryOf(const Caller& caller, JobId job) const;
  absl::StatusOr<v1::JobStatus> StatusOf(const Caller& caller, JobId job) const;
  // All of them, in the same order.
  absl::StatusOr<std::vector<v1::JobStatus>> StatusesOf(
      const Caller& caller, const std::vector<JobId>& jobs) const;
  // All that is known, with at most `max_steps` of the newest steps.
  absl::StatusOr<v1::JobDetail> Detail(const Caller& caller, JobId job,
                                       int max_steps) const;

  // As a list shows it to the caller: maybe withheld (see JobStatus). None: it
  // is hidden.
  std::optional<v1::JobStatus> Shown(const Caller& caller,
                                     const ReadModel::Entry& entry) const;
  // Whether that shows anything but the state.
  bool MayRead(const Caller& caller, const ReadModel::Entry& entry) const;

  // INVALID_ARGUMENT: as the request's fields say.
  absl::Status List(const Caller& caller, const v1::ListJobsRequest& request,
                    v1::ListJobsResponse* response) const;

  // The workers, as they are shown to the caller: of other users' tasks, no
  // more than what may be known of their jobs.
  std::vector<v1::WorkerStatus> WorkersFor(
      const Caller& caller, const std::vector<v1::WorkerStatus>& workers) const;

  // For people.
  std::string NameOf(const Caller& user) const;

  // INVALID_ARGUMENT: as the request's fields say.
  absl::Status Metrics(const Caller& caller,
                       const v1::ListMetricsRequest& request,
                       v1::ListMetricsResponse* response) const;

  // Returns once the read model shows what the core has done until now. Others:
  // as CannotRecord.
  absl::Status Settle() const;

 private:
  // Of a job in the read model, or in jobs.db if `entry` is null.
  absl::StatusOr<Ownership> OwnershipOf(JobId job,
                                        const ReadModel::EntryPtr& entry) const;
  // `target`: what the caller named.
  absl::Status Judge(const Caller& caller, const Ownership& job, Right right,
                     const Target& target) const;
  // With what no record says: names, and when it starts and ends.
  v1::JobStatus WithNames(const Caller& caller, v1::JobStatus status) const;
  std::optional<v1::JobStatus> ShownAs(const Caller& caller,
                                       const Ownership& job,
                                       v1::JobStatus status) const;
  // The first job that the text names and the caller may not read.
  std::optional<JobId> OthersJobIn(const Caller& caller,
                                   absl::string_view text) const;
  absl::Status ListOld(const Caller& caller, SweepId sweep,
                       const v1::ListJobsRequest& request,
                       const JobFilter& filter,
                       v1::ListJobsResponse* response) const;

  CoreThread* const core_;
  const ReadModel* const model_;
  const JobHistory* const history_;
  const AccessPolicy access_;
  AccountNames* const names_;
  const ForecastSource forecast_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_JOB_READER_H_
