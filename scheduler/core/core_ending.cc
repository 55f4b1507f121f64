// The part of Core that ends jobs: their models are written, their records get
// smaller and then go.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Jobs that one turn frees: some milliseconds.
constexpr int kForgottenInOneGo = 500;

// Whether what failed may work later: the disk is full, or failed, or is not
// there, or read-only after errors.
bool IsWorthARetry(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsUnavailable(status) ||
         absl::IsPermissionDenied(status);
}

}  // namespace

void Core::BeginSaving(Job& job, absl::Time now) {
  if (!job.submitted.spec.output().save_model()) {
    EndJob(job, v1::JOB_STATE_COMPLETED, "", now);
    return;
  }
  job.phase = v1::JOB_PHASE_SAVE;
  save_again_.erase(job.id);
  Touch(job);
  SaveRequest request;
  request.job = job.id;
  request.table = *job.shape.table;
  request.model_config_json = *job.submitted.model_config_json;
  request.model_dir = job.submitted.spec.model().path();
  request.tokenizer_dir = job.submitted.spec.model().tokenizer_path();
  request.output_path = job.output_path;
  request.detail = DetailOf(job, kAllSteps);
  for (int i = 0; i < job.shape.table->parameter_blocks.size(); ++i) {
    request.parameters.push_back(
        *blocks_.Find(job.id, {wv1::BLOCK_KIND_PARAMETERS, i, 0}));
  }
  Do(std::move(request));
}

void Core::ModelSaved(JobId id, const absl::Status& status, absl::Time now) {
  Job& job = JobOf(id);
  // A job that was cancelled meanwhile holds its slots until now.
  if (job.phase != v1::JOB_PHASE_SAVE) return;
  if (job.state == v1::JOB_STATE_CANCELLED) {
    FinishEnding(job, now);
  } else if (status.ok()) {
    EndJob(job, v1::JOB_STATE_COMPLETED, "", now);
  } else if (IsWorthARetry(status)) {
    // The trained model stays in the pool until the disk takes it.
    job.reason = absl::StrCat(
        "the model cannot be written, and will be tried "
        "again: ",
        status.message());
    Log(job, "W", job.reason, now);
    job.save_again_at = now + options_.save_retry;
    save_again_.insert(id);
    Touch(job);
  } else {
    EndJob(job, v1::JOB_STATE_FAILED,
           absl::StrCat("writing the model: ", status.message()), now);
  }
}

std::vector<JobId> Core::Cancel(const std::vector<JobId>& jobs,
                                bool delete_checkpoints, absl::Time now) {
  std::vector<JobId> cancelled;
  for (JobId id : jobs) {
    auto job = jobs_.find(id);
    if (job != jobs_.end() && CancelOne(job->second, delete_checkpoints, now)) {
      cancelled.push_back(id);
    }
  }
  return cancelled;
}

bool Core::CancelOne(Job& job, bool delete_checkpoints, absl::Time now) {
  if (job.state != v1::JOB_STATE_PENDING &&
      job.state != v1::JOB_STATE_RUNNING && job.state != v1::JOB_STATE_PAUSED) {
    return false;
  }
  if (delete_checkpoints) {
    job.delete_checkpoints = true;
    while (!job.checkpoints.empty()) RemoveCheckpoint(job, 0);
  }
  const bool saving =
      job.phase == v1::JOB_PHASE_SAVE && save_again_.erase(job.id) == 0;
  if (saving) {
    // The writer reads its slots until it answers.
    job.state = v1::JOB_STATE_CANCELLED;
    job.reason = "cancelled";
    NoteChange(job);
  } else {
    EndJob(job, v1::JOB_STATE_CANCELLED, "cancelled", now);
  }
  return true;
}

void Core::EndJob(Job& job, v1::JobState state, std::string reason,
                  absl::Time now) {
  job.state = state;
  job.reason = std::move(reason);
  policy_->Remove(job.id);
  waiting_.Remove(job.id);
  waiting_.OfferRoom();
  AbandonClaims(job);
  if (job.outstanding.empty()) {
    FinishEnding(job, now);
  } else {
    Withdraw(job);
    NoteChange(job);
  }
}

void Core::FinishEnding(Job& job, absl::Time now) {
  job.phase = v1::JOB_PHASE_ENDED;
  job.ended_at = now;
  LeavePool(job);
  NoteChange(job);
  const bool failed = job.state == v1::JOB_STATE_FAILED;
  Log(job, failed ? "E" : "I",
      absl::StrCat(v1::JobState_Name(job.state).substr(sizeof("JOB_STATE")),
                   job.reason.empty() ? "" : ": ", job.reason),
      now);
  Archive(job);
  NoteEnded(job.sweep);
}

void Core::Archive(Job& job) {
  job.DropWorkingData();
  with_steps_.push_back(job.id);
  while (with_steps_.size() > options_.kept_step_lists) {
    if (auto oldest = jobs_.find(with_steps_.front()); oldest != jobs_.end()) {
      oldest->second.KeepSummaryOnly();
    }
    with_steps_.pop_front();
  }
}

void Core::NoteEnded(SweepId id) {
  const auto found = sweeps_.find(id);
  // A repaired jobs.db may have lost the sweep's record.
  if (found == sweeps_.end()) return;
  Sweep& sweep = found->second;
  if (--sweep.open_jobs > 0) return;
  ended_sweeps_.push_back({id, journal_->next_sequence()});
  ended_jobs_ += sweep.jobs.size();
  prepared_.erase(id);
}

// Not while anybody holds a reference to a job.
void Core::ForgetOldSweeps() {
  while (!ended_sweeps_.empty()) {
    const auto [oldest, sequence] = ended_sweeps_.front();
    if (sequence > journal_->recorded()) return;
    const std::vector<JobId>& jobs = sweeps_[oldest].jobs;
    const bool writing = std::any_of(
        jobs.begin(), jobs.end(), [this](JobId id) { return id == writing_; });
    if (writing || ended_jobs_ - static_cast<int64_t>(jobs.size()) <
                       options_.kept_ended_jobs) {
      return;
    }
    ended_jobs_ -= jobs.size();
    to_forget_.insert(to_forget_.end(), jobs.begin(), jobs.end());
    sweeps_.erase(oldest);
    forgotten_.push_back(oldest);
    ended_sweeps_.pop_front();
  }
}

void Core::ForgetSomeJobs() {
  for (int i = 0; i < kForgottenInOneGo && !to_forget_.empty(); ++i) {
    jobs_.erase(to_forget_.back());
    to_forget_.pop_back();
  }
}

}  // namespace hydra
