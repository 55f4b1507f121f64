#include "scheduler/service/job_reader.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status/error_details.h"
#include "common/status/proto_time.h"
#include "scheduler/core/detail_parts.h"
#include "scheduler/core/job.h"
#include "scheduler/runtime/refusals.h"
#include "scheduler/service/metrics_page.h"

namespace hydra {
namespace {

// Jobs that one call looks at, to find those in the wanted states.
constexpr size_t kMostLookedAt = 5000;
constexpr absl::Duration kLookForTrouble = absl::Milliseconds(200);

Ownership OwnershipIn(const v1::JobStatus& status) {
  Ownership ownership;
  if (status.has_owner_user()) ownership.owner = Caller{status.owner_user()};
  if (status.has_project_group()) {
    ownership.project_group = status.project_group();
  }
  return ownership;
}

Ownership OwnershipIn(const ReadModel::Entry& entry) {
  return {entry.owner, entry.project_group};
}

// "j7", "s3".
std::string IdOf(const Target& target) {
  if (const JobId* job = std::get_if<JobId>(&target)) return JobName(*job);
  if (const SweepId* sweep = std::get_if<SweepId>(&target)) {
    return SweepName(*sweep);
  }
  return "";
}

// As whoever looks for it in jobs.db is told, to the last detail.
absl::Status NoSuch(const Target& target) {
  const bool is_job = std::holds_alternative<JobId>(target);
  return WithReason(
      absl::NotFoundError(absl::StrCat(
          is_job ? "there is no job " : "there is no sweep ", IdOf(target))),
      is_job ? kJobNotFound : kSweepNotFound);
}

// One of a moment ago may be of a job that was to go on then.
void AddForecast(const ForecastSource& source, v1::JobStatus& status) {
  if (status.state() != v1::JOB_STATE_PENDING &&
      status.state() != v1::JOB_STATE_RUNNING) {
    return;
  }
  const absl::StatusOr<JobId> job = ParseJobId(status.job_id());
  if (!job.ok()) return;
  const std::optional<Forecast> forecast = source(*job);
  if (!forecast.has_value()) return;
  if (forecast->start.has_value()) {
    *status.mutable_forecast_start() = ToProto(*forecast->start);
  }
  *status.mutable_forecast_end() = ToProto(forecast->end);
}

bool IsOfWord(char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '/';
}

// All words of the text that are ids of jobs; parts of paths are none.
std::vector<JobId> JobsNamedIn(absl::string_view text) {
  std::vector<JobId> jobs;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && IsOfWord(text[end])) ++end;
    const absl::StatusOr<JobId> job =
        ParseJobId(text.substr(begin, end - begin));
    if (job.ok()) jobs.push_back(*job);
    begin = end + 1;
  }
  return jobs;
}

}  // namespace

absl::StatusOr<Ownership> JobReader::OwnershipOf(
    JobId job, const ReadModel::EntryPtr& entry) const {
  if (entry != nullptr) return OwnershipIn(*entry);
  const absl::StatusOr<v1::JobDetail> old = history_->FindSubmitted(job);
  if (!old.ok()) return old.status();
  return OwnershipIn(old->status());
}

absl::Status JobReader::Judge(const Caller& caller, const Ownership& job,
                              Right right, const Target& target) const {
  switch (access_.AnswerTo(caller, job, right)) {
    case Answer::kAllowed:
      return absl::OkStatus();
    case Answer::kForbidden:
      return NotYours(IdOf(target), NameOf(job.owner), right);
    case Answer::kHidden:
      return NoSuch(target);
  }
  return absl::OkStatus();
}

absl::Status JobReader::Check(const Caller& caller, const Target& target,
                              Right right) const {
  if (std::holds_alternative<AllJobs>(target)) return absl::OkStatus();
  std::optional<JobId> first;
  if (const JobId* job = std::get_if<JobId>(&target)) {
    first = *job;
  } else {
    const SweepId sweep = std::get<SweepId>(target);
    std::vector<JobId> jobs = model_->JobsOf(sweep);
    if (jobs.empty()) {
      absl::StatusOr<std::vector<JobId>> old = history_->JobsOf(sweep);
      if (!old.ok()) return old.status();
      jobs = *std::move(old);
    }
    if (jobs.empty()) return absl::OkStatus();
    first = jobs.front();
  }
  const absl::StatusOr<Ownership> ownership =
      OwnershipOf(*first, model_->Find(*first));
  if (!ownership.ok()) return ownership.status();
  return Judge(caller, *ownership, right, target);
}

Answer JobReader::AnswerTo(const Caller& caller, JobId job, Right right) const {
  const absl::StatusOr<Ownership> ownership =
      OwnershipOf(job, model_->Find(job));
  if (ownership.ok()) return access_.AnswerTo(caller, *ownership, right);
  return Decide(Role::kOther, Right::kRead, access_.private_jobs());
}

absl::StatusOr<std::vector<JobId>> JobReader::JobsOf(const Caller& caller,
                                                     const Target& target,
                                                     Right right) const {
  const absl::Status may = Check(caller, target, right);
  if (!may.ok()) return may;
  if (const JobId* job = std::get_if<JobId>(&target)) {
    if (model_->Find(*job) == nullptr) {
      const absl::StatusOr<v1::JobDetail> old = history_->Find(*job, 0);
      if (!old.ok()) return old.status();
    }
    return std::vector<JobId>{*job};
  }
  const SweepId sweep = std::get<SweepId>(target);
  std::vector<JobId> jobs = model_->JobsOf(sweep);
  if (jobs.empty()) return history_->JobsOf(sweep);
  return jobs;
}

absl::StatusOr<JobReader::Summary> JobReader::SummaryOf(const Caller& caller,
                                                        JobId job) const {
  const ReadModel::EntryPtr entry = model_->Find(job);
  Summary summary;
  if (entry != nullptr) {
    summary.status = entry->Status();
    if (entry->parts != nullptr) summary.totals = entry->parts->totals;
  } else {
    absl::StatusOr<v1::JobDetail> old = history_->Find(job, 0);
    if (!old.ok()) return old.status();
    summary.status = std::move(*old->mutable_status());
    summary.totals = std::move(*old->mutable_totals());
  }
  const absl::Status may =
      Judge(caller, OwnershipIn(summary.status), Right::kRead, job);
  if (!may.ok()) return may;
  summary.status = WithNames(caller, std::move(summary.status));
  return summary;
}

absl::StatusOr<v1::JobStatus> JobReader::StatusOf(const Caller& caller,
                                                  JobId job) const {
  absl::StatusOr<Summary> summary = SummaryOf(caller, job);
  if (!summary.ok()) return summary.status();
  return std::move(summary->status);
}

absl::StatusOr<std::vector<v1::JobStatus>> JobReader::StatusesOf(
    const Caller& caller, const std::vector<JobId>& jobs) const {
  std::vector<v1::JobStatus> statuses;
  statuses.reserve(jobs.size());
  for (JobId job : jobs) {
    absl::StatusOr<v1::JobStatus> status = StatusOf(caller, job);
    if (!status.ok()) return status.status();
    statuses.push_back(*std::move(status));
  }
  return statuses;
}

std::string JobReader::NameOf(const Caller& user) const {
  if (user == Caller()) return "nobody";
  return names_ == nullptr ? absl::StrCat(user.user) : names_->Of(user.user);
}

v1::JobStatus JobReader::WithNames(const Caller& caller,
                                   v1::JobStatus status) const {
  if (status.has_owner_user()) {
    status.set_owner(NameOf(Caller{status.owner_user()}));
  }
  if (forecast_ != nullptr) AddForecast(forecast_, status);
  if (status.state() != v1::JOB_STATE_PENDING) return status;
  const std::optional<JobId> others = OthersJobIn(caller, status.reason());
  if (others.has_value()) {
    status.set_reason(absl::StrCat(
        "waits for ", access_.private_jobs() ? "" : JobName(*others) + ", ",
        "another user's job"));
  }
  return status;
}

std::optional<JobId> JobReader::OthersJobIn(const Caller& caller,
                                            absl::string_view text) const {
  for (JobId job : JobsNamedIn(text)) {
    if (AnswerTo(caller, job, Right::kRead) != Answer::kAllowed) return job;
  }
  return std::nullopt;
}

std::optional<v1::JobStatus> JobReader::ShownAs(const Caller& caller,
                                                const Ownership& job,
                                                v1::JobStatus status) const {
  switch (access_.AnswerTo(caller, job, Right::kSee)) {
    case Answer::kHidden:
    case Answer::kForbidden:
      return std::nullopt;
    case Answer::kAllowed:
      break;
  }
  if (access_.AnswerTo(caller, job, Right::kRead) == Answer::kAllowed) {
    return WithNames(caller, std::move(status));
  }
  v1::JobStatus shown;
  shown.set_job_id(status.job_id());
  shown.set_sweep_id(status.sweep_id());
  shown.set_state(status.state());
  shown.set_owner_user(job.owner.user);
  shown.set_owner(NameOf(job.owner));
  shown.set_withheld(true);
  return shown;
}

std::optional<v1::JobStatus> JobReader::Shown(
    const Caller& caller, const ReadModel::Entry& entry) const {
  return ShownAs(caller, OwnershipIn(entry), entry.Status());
}

bool JobReader::MayRead(const Caller& caller,
                        const ReadModel::Entry& entry) const {
  return access_.AnswerTo(caller, OwnershipIn(entry), Right::kRead) ==
         Answer::kAllowed;
}

std::vector<v1::WorkerStatus> JobReader::WorkersFor(
    const Caller& caller, const std::vector<v1::WorkerStatus>& workers) const {
  std::vector<v1::WorkerStatus> shown = workers;
  for (v1::WorkerStatus& worker : shown) {
    if (OthersJobIn(caller, worker.reason()).has_value()) {
      worker.set_reason(
          "its process died of tasks of more than one job's, other users' "
          "among "
          "them; it gets no task for a while");
    }
    const absl::StatusOr<JobId> job = ParseJobId(worker.task_job_id());
    if (!job.ok()) continue;
    switch (AnswerTo(caller, *job, Right::kRead)) {
      case Answer::kAllowed:
        break;
      case Answer::kForbidden:
        // How far it is, is not for others.
        worker.mutable_task()->resize(
            std::min(worker.task().size(), worker.task().find(" step ")));
        break;
      case Answer::kHidden:
        worker.set_task("another user's task");
        worker.clear_task_job_id();
        break;
    }
  }
  return shown;
}

absl::Status JobReader::List(const Caller& caller,
                             const v1::ListJobsRequest& request,
                             v1::ListJobsResponse* response) const {
  const auto states = ParseStates(request);
  if (!states.ok()) return states.status();
  const absl::StatusOr<int> page_size = ParsePageSize(request);
  if (!page_size.ok()) return page_size.status();
  const absl::StatusOr<JobFilter> filter = JobFilter::Of(caller, request);
  if (!filter.ok()) return filter.status();
  std::optional<ReadModel::Place> place;
  if (!request.page_token().empty()) {
    const auto parsed = ParsePageToken(request.page_token());
    if (!parsed.ok()) return parsed.status();
    place = *parsed;
  }
  std::optional<SweepId> only;
  if (!request.sweep_id().empty()) {
    const absl::StatusOr<SweepId> sweep = ParseSweepId(request.sweep_id());
    if (!sweep.ok()) return sweep.status();
    only = *sweep;
    const absl::Status may = Check(caller, *sweep, Right::kSee);
    if (!may.ok()) return may;
    if (!model_->StateOf(*sweep).known) {
      return ListOld(caller, *sweep, request, *filter, response);
    }
  }
  size_t looked_at = 0;
  while (true) {
    const auto some = model_->After(place, only);
    for (const ReadModel::EntryPtr& entry : some) {
      ++looked_at;
      place = {entry->sweep, entry->job};
      if (!states->empty() && !states->contains(entry->state)) continue;
      std::optional<v1::JobStatus> shown = Shown(caller, *entry);
      if (!shown.has_value() || !filter->Matches(*shown)) continue;
      *response->add_jobs() = *std::move(shown);
      if (response->jobs_size() < *page_size) continue;
      if (!model_->After(place, only).empty()) {
        response->set_next_page_token(PageToken(*place));
      }
      return absl::OkStatus();
    }
    if (some.size() < ReadModel::kMostEntries) {
      // It was forgotten meanwhile: jobs.db has the rest.
      if (only.has_value() && !model_->StateOf(*only).known) {
        response->clear_jobs();
        return ListOld(caller, *only, request, *filter, response);
      }
      return absl::OkStatus();
    }
    if (looked_at >= kMostLookedAt) {
      response->set_next_page_token(PageToken(*place));
      return absl::OkStatus();
    }
  }
}

// As List, of a sweep that jobs.db alone knows.
absl::Status JobReader::ListOld(const Caller& caller, SweepId sweep,
                                const v1::ListJobsRequest& request,
                                const JobFilter& filter,
                                v1::ListJobsResponse* response) const {
  const absl::StatusOr<std::vector<JobId>> jobs = history_->JobsOf(sweep);
  if (!jobs.ok()) return jobs.status();
  const int page_size = *ParsePageSize(request);
  auto job = jobs->begin();
  if (!request.page_token().empty()) {
    job = std::upper_bound(jobs->begin(), jobs->end(),
                           ParsePageToken(request.page_token())->job);
  }
  const auto states = *ParseStates(request);
  for (; job != jobs->end(); ++job) {
    if (response->jobs_size() == page_size) {
      response->set_next_page_token(PageToken({sweep, *std::prev(job)}));
      break;
    }
    absl::StatusOr<v1::JobDetail> old = history_->Find(*job, 0);
    if (!old.ok()) return old.status();
    const Ownership ownership = OwnershipIn(old->status());
    std::optional<v1::JobStatus> shown =
        ShownAs(caller, ownership, std::move(*old->mutable_status()));
    if (!shown.has_value() || !filter.Matches(*shown)) continue;
    if (!states.empty() && !states.contains(shown->state())) continue;
    *response->add_jobs() = *std::move(shown);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::JobDetail> JobReader::Detail(const Caller& caller, JobId id,
                                                int max_steps) const {
  const ReadModel::EntryPtr entry = model_->Find(id);
  const absl::StatusOr<Ownership> ownership = OwnershipOf(id, entry);
  if (!ownership.ok()) return ownership.status();
  const absl::Status may = Judge(caller, *ownership, Right::kRead, id);
  if (!may.ok()) return may;
  absl::StatusOr<v1::JobDetail> detail;
  if (entry == nullptr || entry->summary_only) {
    detail = history_->Find(id, max_steps);
    if (!detail.ok()) return detail.status();
  } else {
    detail = history_->FindSubmitted(id);
    if (!detail.ok()) return detail.status();
    *detail->mutable_status() = entry->Status();
    if (entry->parts != nullptr) AddParts(*entry->parts, max_steps, *detail);
    const absl::Status read = history_->AddOlderSteps(id, max_steps, *detail);
    if (!read.ok()) return read;
  }
  *detail->mutable_status() =
      WithNames(caller, std::move(*detail->mutable_status()));
  return detail;
}

absl::Status JobReader::Metrics(const Caller& caller,
                                const v1::ListMetricsRequest& request,
                                v1::ListMetricsResponse* response) const {
  const absl::StatusOr<JobId> id = ParseJobId(request.job_id());
  if (!id.ok()) return id.status();
  const absl::StatusOr<MetricsPage> page = ParseMetricsPage(request);
  if (!page.ok()) return page.status();
  const ReadModel::EntryPtr entry = model_->Find(*id);
  const absl::StatusOr<Ownership> ownership = OwnershipOf(*id, entry);
  if (!ownership.ok()) return ownership.status();
  const absl::Status may = Judge(caller, *ownership, Right::kRead, *id);
  if (!may.ok()) return may;
  // With the steps that are in memory.
  v1::JobDetail known;
  if (entry == nullptr || entry->summary_only) {
    absl::StatusOr<v1::JobDetail> old = history_->Find(*id, 0);
    if (!old.ok()) return old.status();
    known = *std::move(old);
  } else {
    *known.mutable_status() = entry->Status();
    if (entry->parts != nullptr) {
      AddParts(*entry->parts, std::numeric_limits<int>::max(), known);
    }
  }
  return FillMetrics(
      *page, std::move(known),
      [&](int64_t first, int64_t end) {
        return history_->StepsBetween(*id, first, end);
      },
      response);
}

absl::Status JobReader::Settle() const {
  const auto noted = core_->Ask(
      [](Core& core, absl::Time) { return core.jobs().changes_noted(); });
  if (!noted.has_value()) return NotServing();
  while (!model_->Settle(*noted, kLookForTrouble)) {
    const absl::Status trouble = core_->trouble();
    if (!trouble.ok()) return CannotRecord(trouble);
    const auto alive = core_->Ask([](Core&, absl::Time) { return true; });
    if (!alive.has_value()) return NotServing();
  }
  return absl::OkStatus();
}

}  // namespace hydra
