#include "scheduler/core/intake.h"

#include <algorithm>
#include <utility>

#include "common/status/proto_time.h"
#include "scheduler/core/caller.h"

namespace hydra {
namespace {

constexpr size_t kMadeInOneGo = 500;

RequestKey KeyOf(const journal::v1::SweepRecord& sweep) {
  RequestKey key{sweep.request_id(), sweep.request_digest(), std::nullopt};
  if (sweep.has_caller_user()) key.caller = Caller{sweep.caller_user()};
  return key;
}

}  // namespace

void Intake::Restore(SweepId id, const journal::v1::SweepRecord& sweep) {
  next_sweep_ = std::max(next_sweep_, id.value() + 1);
  for (uint64_t job : sweep.job_ids()) Restore(JobId(job));
  requests_.Add(KeyOf(sweep), {id, 0, sweep.request_digest()});
}

void Intake::Restore(JobId job) {
  next_job_ = std::max(next_job_, job.value() + 1);
}

Submission Intake::Take(std::vector<NewJob>&& jobs, const RequestKey& request,
                        absl::Time now) {
  Entry entry;
  entry.sweep = SweepId(next_sweep_++);
  entry.request = request;
  entry.submitted_at = now;
  entry.first = JobId(next_job_);
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
  const Caller owner = request.caller.value_or(Caller());
  if (owner.known().has_value()) common.set_owner_user(owner.user);
  if (!jobs.empty() && jobs.front().project_group.has_value()) {
    common.set_project_group(*jobs.front().project_group);
  }
  *common.mutable_submitted_at() = ToProto(now);
  const std::string end_of_record = common.SerializeAsString();
  Journal::SubmittedJobs records;
  records.reserve(jobs.size());
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
  entries_.emplace(submission.sequence, std::move(entry));
  return submission;
}

void Intake::MakeJobs(Entry& entry, size_t most) {
  const size_t end = std::min(entry.submitted.size(), entry.jobs.size() + most);
  for (size_t i = entry.jobs.size(); i < end; ++i) {
    const JobId id(entry.first.value() + i);
    Job& job = entry.jobs.try_emplace(entry.jobs.end(), id)->second;
    FillJob(id, entry, std::move(entry.submitted[i]), job);
    --unmade_jobs_;
  }
}

void Intake::MakeSomeJobs() {
  if (unmade_jobs_ == 0) return;
  for (auto& [sequence, entry] : entries_) {
    if (entry.jobs.size() == entry.submitted.size()) continue;
    MakeJobs(entry, kMadeInOneGo);
    return;
  }
}

void Intake::FillJob(JobId id, const Entry& entry, NewJob submitted, Job& job) {
  job.id = id;
  job.sweep = entry.sweep;
  job.owner = entry.request.caller.value_or(Caller());
  job.project_group = submitted.project_group;
  job.priority = submitted.spec.priority();
  job.submitted_at = entry.submitted_at;
  submitted.least_demands = {};
  submitted.model_config_json = models_->Text(*submitted.model_config_json);
  submitted.chat_template = models_->Text(*submitted.chat_template);
  submitted.table = models_->Table(submitted);
  job.shape = MakeJobShape(submitted.spec, submitted.table);
  job.output_path = OutputPath(id, submitted.output_dir, submitted.spec.name());
  job.submitted = std::move(submitted);
}

std::vector<Intake::Sweep> Intake::Recorded(uint64_t sequence) {
  std::vector<Sweep> sweeps;
  while (!entries_.empty() && entries_.begin()->first <= sequence) {
    Entry entry = std::move(entries_.begin()->second);
    entries_.erase(entries_.begin());
    MakeJobs(entry, entry.submitted.size());
    sweeps.push_back({entry.sweep, std::move(entry.jobs)});
  }
  return sweeps;
}

Intake::RefusedJobs Intake::Refused(uint64_t sequence) {
  const auto refused = entries_.find(sequence);
  if (refused == entries_.end()) return {};
  const Entry& entry = refused->second;
  const RefusedJobs jobs{entry.request.caller.value_or(Caller()),
                         static_cast<int64_t>(entry.submitted.size())};
  requests_.Remove(entry.request);
  unmade_jobs_ -= entry.submitted.size() - entry.jobs.size();
  entries_.erase(refused);
  return jobs;
}

}  // namespace hydra
