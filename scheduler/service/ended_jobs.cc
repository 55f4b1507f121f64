#include "scheduler/service/ended_jobs.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_details.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/core/job.h"

namespace hydra {
namespace {

absl::Status NotEnded(const ReadModel::Entry& entry) {
  const std::string job = JobName(entry.job);
  const bool is_ending = entry.state == v1::JOB_STATE_COMPLETED ||
                         entry.state == v1::JOB_STATE_FAILED ||
                         entry.state == v1::JOB_STATE_CANCELLED;
  return WithReason(
      absl::FailedPreconditionError(
          is_ending
              ? absl::StrCat(job, " is just ending; try again in a moment")
              : absl::StrCat(job,
                             " has not ended; cancel it first: hydra "
                             "cancel ",
                             job)),
      kJobNotEnded);
}

}  // namespace

absl::StatusOr<std::vector<EndedJob>> ReadEndedJobs(
    const ReadModel& model, const JobHistory& history,
    const std::vector<JobId>& jobs) {
  std::vector<EndedJob> ended;
  ended.reserve(jobs.size());
  for (JobId id : jobs) {
    const ReadModel::EntryPtr entry = model.Find(id);
    if (entry != nullptr && !entry->ended) return NotEnded(*entry);
    EndedJob job;
    job.id = id;
    // The core may forget one at any time, and knows its checkpoints until
    // then; its end may be on its way to jobs.db.
    const absl::StatusOr<v1::JobDetail> detail = history.Find(id, 0);
    if (detail.ok()) {
      for (const v1::CheckpointInfo& checkpoint : detail->checkpoints()) {
        job.checkpoints.push_back(checkpoint.path());
      }
      if (detail->status().has_owner_user()) {
        job.owner = detail->status().owner_user();
      }
    } else if (entry == nullptr || !absl::IsNotFound(detail.status())) {
      return detail.status();
    }
    ended.push_back(std::move(job));
  }
  return ended;
}

std::vector<EndedJob> Among(const std::vector<EndedJob>& jobs,
                            const std::vector<JobId>& ids) {
  const absl::flat_hash_set<JobId> wanted(ids.begin(), ids.end());
  std::vector<EndedJob> some;
  for (const EndedJob& job : jobs) {
    if (wanted.contains(job.id)) some.push_back(job);
  }
  return some;
}

}  // namespace hydra
