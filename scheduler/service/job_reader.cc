#include "scheduler/service/job_reader.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "scheduler/core/detail_parts.h"
#include "scheduler/runtime/refusals.h"
#include "scheduler/service/metrics_page.h"

namespace hydra {
namespace {

// Jobs that one call looks at, to find those in the wanted states.
constexpr size_t kMostLookedAt = 5000;
constexpr absl::Duration kLookForTrouble = absl::Milliseconds(200);

}  // namespace

absl::StatusOr<std::vector<JobId>> JobReader::JobsOf(
    const Caller& caller, const Target& target) const {
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
  if (entry == nullptr) {
    absl::StatusOr<v1::JobDetail> old = history_->Find(job, 0);
    if (!old.ok()) return old.status();
    return Summary{std::move(*old->mutable_status()),
                   std::move(*old->mutable_totals())};
  }
  Summary summary{entry->Status(), {}};
  if (entry->parts != nullptr) summary.totals = entry->parts->totals;
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

absl::Status JobReader::List(const Caller& caller,
                             const v1::ListJobsRequest& request,
                             v1::ListJobsResponse* response) const {
  const auto states = ParseStates(request);
  if (!states.ok()) return states.status();
  const absl::StatusOr<int> page_size = ParsePageSize(request);
  if (!page_size.ok()) return page_size.status();
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
    if (!model_->StateOf(*sweep).known) {
      return ListOld(caller, *sweep, request, response);
    }
  }
  size_t looked_at = 0;
  while (true) {
    const auto some = model_->After(place, only);
    for (const ReadModel::EntryPtr& entry : some) {
      ++looked_at;
      place = {entry->sweep, entry->job};
      if (!states->empty() && !states->contains(entry->state)) continue;
      *response->add_jobs() = entry->Status();
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
        return ListOld(caller, *only, request, response);
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
    const absl::StatusOr<v1::JobStatus> status = StatusOf(caller, *job);
    if (!status.ok()) return status.status();
    if (!states.empty() && !states.contains(status->state())) continue;
    *response->add_jobs() = *status;
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::JobDetail> JobReader::Detail(const Caller& caller, JobId id,
                                                int max_steps) const {
  const ReadModel::EntryPtr entry = model_->Find(id);
  if (entry == nullptr || entry->summary_only) {
    return history_->Find(id, max_steps);
  }
  absl::StatusOr<v1::JobDetail> detail = history_->FindSubmitted(id);
  if (!detail.ok()) return detail.status();
  *detail->mutable_status() = entry->Status();
  if (entry->parts != nullptr) AddParts(*entry->parts, max_steps, *detail);
  const absl::Status read = history_->AddOlderSteps(id, max_steps, *detail);
  if (!read.ok()) return read;
  return detail;
}

absl::Status JobReader::Metrics(const Caller& caller,
                                const v1::ListMetricsRequest& request,
                                v1::ListMetricsResponse* response) const {
  const absl::StatusOr<JobId> id = ParseJobId(request.job_id());
  if (!id.ok()) return id.status();
  const absl::StatusOr<MetricsPage> page = ParseMetricsPage(request);
  if (!page.ok()) return page.status();
  // With the steps that are in memory.
  v1::JobDetail known;
  const ReadModel::EntryPtr entry = model_->Find(*id);
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
