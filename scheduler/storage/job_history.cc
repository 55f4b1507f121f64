#include "scheduler/storage/job_history.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/error_details.h"
#include "scheduler/core/job.h"
#include "scheduler/core/records.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int64_t kStepsInOneGo = 10'000;

// What a visitor ends its reading with.
const absl::Status& kEnough = *new absl::Status(absl::CancelledError("enough"));

}  // namespace

absl::StatusOr<v1::JobDetail> JobHistory::Find(JobId id, int max_steps) const {
  const absl::StatusOr<RecoveredJob> recovered =
      ReadJob(*jobs_, id, /*with_steps=*/false);
  if (!recovered.ok()) return recovered.status();
  if (!recovered->progress.has_ended_at()) {
    return absl::NotFoundError(absl::StrCat(JobName(id), " has not ended"));
  }
  v1::JobDetail detail = DetailOf(EndedJobOf(id, *recovered), max_steps);
  const absl::Status read = AddOlderSteps(id, max_steps, detail);
  if (!read.ok()) return read;
  return detail;
}

absl::StatusOr<v1::JobDetail> JobHistory::FindSubmitted(JobId id) const {
  const auto submitted = ReadSubmitted(*jobs_, id);
  if (!submitted.ok()) return submitted.status();
  Job job;
  SetSubmitted(id, *submitted, job);
  return DetailOf(job, /*max_steps=*/0);
}

absl::StatusOr<JobHistory::Steps> JobHistory::StepsBetween(JobId id,
                                                           int64_t first,
                                                           int64_t end) const {
  Steps steps;
  // In pieces: whoever reads keeps the writer of jobs.db waiting.
  for (; first < end; first += kStepsInOneGo) {
    const int64_t last = std::min(end, first + kStepsInOneGo);
    const absl::Status read = jobs_->ForEachFrom(
        kStepsTable, id.value(), first,
        [&](int64_t, int64_t step, absl::string_view value) {
          if (step >= last) return kEnough;
          return steps.Add()->ParseFromArray(value.data(), value.size())
                     ? absl::OkStatus()
                     : absl::DataLossError(
                           absl::StrCat("step ", step, " of ", JobName(id),
                                        " is no message of its table"));
        });
    if (!read.ok() && read != kEnough) return read;
  }
  return steps;
}

absl::Status JobHistory::AddOlderSteps(JobId id, int max_steps,
                                       v1::JobDetail& detail) const {
  const int64_t end =
      detail.steps_size() > 0 ? detail.steps(0).step() : detail.status().step();
  const int64_t missing = max_steps - detail.steps_size();
  absl::StatusOr<Steps> steps =
      StepsBetween(id, std::max<int64_t>(0, end - missing), end);
  if (!steps.ok()) return steps.status();
  for (v1::StepMetrics& step : *detail.mutable_steps()) {
    *steps->Add() = std::move(step);
  }
  detail.mutable_steps()->Swap(&*steps);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<JobId>> JobHistory::JobsOf(SweepId id) const {
  const auto sweep = ReadSweep(*jobs_, id);
  if (!sweep.ok()) return sweep.status();
  std::vector<JobId> jobs;
  for (uint64_t job : sweep->job_ids()) {
    const absl::StatusOr<bool> deleted = WasDeleted(*jobs_, JobId(job));
    if (!deleted.ok()) return deleted.status();
    if (!*deleted) jobs.push_back(JobId(job));
  }
  if (jobs.empty() && !sweep->job_ids().empty()) {
    return WithReason(
        absl::NotFoundError(absl::StrCat("there is no sweep ", SweepName(id))),
        kSweepNotFound);
  }
  return jobs;
}

}  // namespace hydra
