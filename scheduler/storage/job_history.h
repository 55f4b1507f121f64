#ifndef HYDRA_SCHEDULER_STORAGE_JOB_HISTORY_H_
#define HYDRA_SCHEDULER_STORAGE_JOB_HISTORY_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids/ids.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/journal/record_store.h"

namespace hydra {

// Jobs as jobs.db has them, for what the core does not keep in memory: ended
// jobs, and most steps of all jobs. Thread-safe, and blocks on the disk. `jobs`
// is borrowed and thread-safe.
class JobHistory {
 public:
  using Steps = google::protobuf::RepeatedPtrField<hydra::v1::StepMetrics>;

  explicit JobHistory(const RecordStore* jobs) : jobs_(jobs) {}

  // With at most `max_steps` of the newest steps; reads none of them for 0, and
  // all of them otherwise.
  //
  // NOT_FOUND: there is no such job, or it has not ended.
  absl::StatusOr<hydra::v1::JobDetail> Find(JobId job, int max_steps) const;

  // The job as it was submitted, whether it has ended or not: its spec, output
  // path and warnings, and of its status what never changes.
  //
  // NOT_FOUND: there is no such job.
  absl::StatusOr<hydra::v1::JobDetail> FindSubmitted(JobId job) const;

  // Puts those steps of a job, ended or not, before the ones in `detail` that
  // come before them, until it has `max_steps`.
  absl::Status AddOlderSteps(JobId job, int max_steps,
                             hydra::v1::JobDetail& detail) const;

  // Of a job, ended or not, the steps from `first` on and before `end` that are
  // on the disk, oldest first.
  absl::StatusOr<Steps> StepsBetween(JobId job, int64_t first,
                                     int64_t end) const;

  // Without those that were deleted.
  //
  // NOT_FOUND: there is no such sweep, or none of its jobs any more.
  absl::StatusOr<std::vector<JobId>> JobsOf(SweepId sweep) const;

 private:
  const RecordStore* const jobs_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_JOB_HISTORY_H_
