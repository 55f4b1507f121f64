#include "scheduler/submission/asked_jobs.h"

#include <utility>

#include "common/jobfile/job_file.h"
#include "common/jobfile/mistakes.h"
#include "common/jobfile/path_rules.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// What goes together of a request's fields.
template <typename Request>
absl::Status CheckFields(const Request& request) {
  Mistakes mistakes;
  const bool has_file = !request.job_file().empty();
  if (has_file && (request.has_job() || request.grid_size() > 0)) {
    AddMistake("job_file", "found beside job or grid, which it is in place of",
               &mistakes);
  }
  if (!request.base_dir().empty()) {
    if (has_file) {
      CheckPath("base_dir", request.base_dir(), &mistakes);
    } else {
      AddMistake("base_dir", "found without a job_file, to which it belongs",
                 &mistakes);
    }
  }
  return ToStatus(mistakes);
}

}  // namespace

template <typename Request>
absl::StatusOr<AskedJobs> AskedJobs::Read(const Request& request) {
  const absl::Status fields = CheckFields(request);
  if (!fields.ok()) return fields;
  AskedJobs asked;
  if (request.job_file().empty()) {
    if (request.has_job()) *asked.messages_.mutable_job() = request.job();
    *asked.messages_.mutable_grid() = request.grid();
    return asked;
  }
  absl::StatusOr<JobFileToCheck> read = ReadJobFileToCheck(request.job_file());
  if (!read.ok()) return read.status();
  if (!request.base_dir().empty()) {
    MakePathsAbsolute(request.base_dir(), &read->file);
  }
  *asked.messages_.mutable_job() = std::move(read->file.job);
  asked.messages_.mutable_grid()->Assign(read->file.grid.begin(),
                                         read->file.grid.end());
  asked.known_ = std::move(read->known);
  return asked;
}

absl::StatusOr<AskedJobs> AskedJobs::Of(const v1::SubmitRequest& request) {
  absl::StatusOr<AskedJobs> asked = Read(request);
  if (asked.ok()) asked->messages_.set_request_id(request.request_id());
  return asked;
}

absl::StatusOr<AskedJobs> AskedJobs::Of(const v1::PlanRequest& request) {
  return Read(request);
}

absl::StatusOr<std::vector<NewJob>> AskedJobs::Checked(
    CheckFunction check) const {
  if (!known_.has_value()) return check(messages_);
  // Then part of the file may be unread.
  if (IsFull(known_->mistakes)) return ToStatus(known_->mistakes);
  absl::StatusOr<std::vector<NewJob>> jobs = check(messages_);
  if (jobs.ok() && is_whole()) return jobs;
  const Mistakes theirs = MistakesOf(jobs.status());
  if (is_whole() && theirs.empty()) return jobs.status();
  return AllMistakes(*known_, theirs);
}

}  // namespace hydra
