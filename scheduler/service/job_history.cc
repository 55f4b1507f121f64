#include "scheduler/service/job_history.h"

#include "absl/strings/str_cat.h"
#include "scheduler/core/job.h"
#include "scheduler/core/records.h"
#include "scheduler/journal/recovery.h"

namespace hydra {

absl::StatusOr<hydra::v1::JobDetail> JobHistory::Find(JobId id,
                                                      int max_steps) const {
  const absl::StatusOr<RecoveredJob> recovered =
      ReadJob(*jobs_, id, /*with_steps=*/max_steps > 0);
  if (!recovered.ok()) return recovered.status();
  if (!recovered->progress.has_ended_at()) {
    return absl::NotFoundError(absl::StrCat(JobName(id), " has not ended"));
  }
  Job job = EndedJobOf(id, *recovered);
  if (!recovered->steps.empty()) job.steps = recovered->steps;
  return DetailOf(job, max_steps);
}

absl::StatusOr<std::vector<JobId>> JobHistory::JobsOf(SweepId id) const {
  const auto sweep = ReadSweep(*jobs_, id);
  if (!sweep.ok()) return sweep.status();
  std::vector<JobId> jobs;
  for (uint64_t job : sweep->job_ids()) jobs.push_back(JobId(job));
  return jobs;
}

}  // namespace hydra
