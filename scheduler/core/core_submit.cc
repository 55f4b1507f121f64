// The part of Core that takes in sweeps.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/plan.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

}  // namespace

absl::StatusOr<v1::PoolDemand> Core::CheckFits(
    const std::vector<NewJob>& jobs) const {
  v1::PoolDemand largest;
  for (const NewJob& job : jobs) {
    const v1::PoolDemand demand =
        job.least_demand.has_value() ? *job.least_demand : LeastDemandOf(job);
    if (absl::Status fits = admission_.CanEverFit(demand); !fits.ok()) {
      return absl::Status(fits.code(), absl::StrCat("job ", job.spec.name(),
                                                    ": ", fits.message()));
    }
    if (demand.total_bytes() > largest.total_bytes()) largest = demand;
  }
  return largest;
}

std::optional<Submission> Core::SubmissionOf(const RequestKey& request) const {
  return requests_.Find(request);
}

absl::StatusOr<Submission> Core::Submit(std::vector<NewJob>&& jobs,
                                        const RequestKey& request,
                                        absl::Time now) {
  if (std::optional<Submission> seen = SubmissionOf(request)) {
    const absl::Status same = CheckRepeats(*seen, request);
    if (!same.ok()) return same;
    return *std::move(seen);
  }
  if (stopping_ || parking_) {
    return absl::UnavailableError("the server is stopping");
  }
  if (absl::Status fits = CheckFits(jobs).status(); !fits.ok()) return fits;
  Unrecorded entry;
  entry.sweep = SweepId(next_sweep_++);
  entry.request = request;
  entry.submitted_at = now;
  journal::v1::SweepRecord record;
  record.set_request_id(request.id);
  record.set_request_digest(request.digest);
  if (request.caller.has_value()) {
    record.set_caller_user(request.caller->user);
  }
  // What the records of all of them have in common. Serialized messages that
  // stand one behind the other are one message.
  journal::v1::SubmittedJob common;
  common.set_sweep_id(entry.sweep.value());
  *common.mutable_submitted_at() = ToProto(now);
  const std::string end_of_record = common.SerializeAsString();
  Journal::SubmittedJobs records;
  records.reserve(jobs.size());
  entry.first = JobId(next_job_);
  for (NewJob& job : jobs) {
    if (job.record.empty()) Prepare(job);
    const JobId id(next_job_++);
    record.add_job_ids(id.value());
    job.record += end_of_record;
    records.emplace_back(id, std::exchange(job.record, {}));
  }
  entry.submitted = std::move(jobs);
  unmade_jobs_ += entry.submitted.size();
  Submission submission{entry.sweep, 0, request.digest};
  submission.sequence =
      journal_->Submitted(entry.sweep, record, std::move(records));
  requests_.Add(request, submission);
  unrecorded_.emplace(submission.sequence, std::move(entry));
  return submission;
}

void Core::MakeJobs(Unrecorded& entry, size_t most) {
  const size_t end = std::min(entry.submitted.size(), entry.jobs.size() + most);
  for (size_t i = entry.jobs.size(); i < end; ++i) {
    const JobId id(entry.first.value() + i);
    Job& job = entry.jobs.try_emplace(entry.jobs.end(), id)->second;
    FillJob(id, entry.sweep, std::move(entry.submitted[i]), job);
    job.submitted_at = entry.submitted_at;
    --unmade_jobs_;
  }
}

// While they wait for the disk.
void Core::MakeSomeJobs() {
  if (unmade_jobs_ == 0) return;
  for (auto& [sequence, entry] : unrecorded_) {
    if (entry.jobs.size() == entry.submitted.size()) continue;
    MakeJobs(entry, kJobsMadeInOneGo);
    return;
  }
}

void Core::FillJob(JobId id, SweepId sweep, NewJob submitted, Job& job) {
  job.id = id;
  job.sweep = sweep;
  submitted.least_demand.reset();
  submitted.model_config_json = SharedText(*submitted.model_config_json);
  submitted.table = Shared<ModelTable>(tables_.Get(
      TableContent(submitted.spec, *submitted.model_config_json),
      [&] { return std::make_shared<const ModelTable>(*submitted.table); }));
  job.shape = MakeJobShape(submitted.spec, submitted.table);
  job.output_path = OutputPath(id, submitted.output_dir, submitted.spec.name());
  job.submitted = std::move(submitted);
}

Shared<std::string> Core::SharedText(const std::string& text) {
  return Shared<std::string>(texts_.Get(
      text, [&text] { return std::make_shared<const std::string>(text); }));
}

void Core::Recorded(uint64_t sequence, absl::Time now) {
  journal_->Recorded(sequence);
  while (!unrecorded_.empty() && unrecorded_.begin()->first <= sequence) {
    Unrecorded entry = std::move(unrecorded_.begin()->second);
    unrecorded_.erase(unrecorded_.begin());
    MakeJobs(entry, entry.submitted.size());
    Sweep& sweep = sweeps_[entry.sweep];
    sweep.open_jobs = entry.jobs.size();
    sweep.jobs.reserve(entry.jobs.size());
    for (const auto& [id, job] : entry.jobs) {
      sweep.jobs.push_back(id);
      waiting_.Wake(id);
      changes_.Note(id);
    }
    // Moves none of them.
    jobs_.merge(entry.jobs);
  }
  if (!waiting_.has_next()) return;
  AdvanceWaiting(now);
  Dispatch(now);
}

void Core::SubmissionRefused(uint64_t sequence) {
  auto refused = unrecorded_.find(sequence);
  if (refused == unrecorded_.end()) return;
  const Unrecorded& entry = refused->second;
  requests_.Remove(entry.request);
  unmade_jobs_ -= entry.submitted.size() - entry.jobs.size();
  unrecorded_.erase(refused);
}

}  // namespace hydra
