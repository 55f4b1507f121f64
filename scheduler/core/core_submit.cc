// The part of Core that takes in sweeps.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
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
    JobShape shape = MakeJobShape(job.spec, job.table);
    const auto& cuts = job.spec.partition().cut_points();
    shape.shards =
        ShardsOf({cuts.begin(), cuts.end()}, shape.table->layer_count());
    v1::PoolDemand demand =
        cuts.empty() ? LeastDemandOf(shape) : DemandOf(shape);
    if (absl::Status fits = admission_.CanEverFit(demand); !fits.ok()) {
      return absl::Status(fits.code(), absl::StrCat("job ", job.spec.name(),
                                                    ": ", fits.message()));
    }
    if (demand.total_bytes() > largest.total_bytes()) {
      largest = std::move(demand);
    }
  }
  return largest;
}

std::optional<Submission> Core::SubmissionOf(
    const std::string& request_id) const {
  return requests_.Find(request_id);
}

absl::StatusOr<Submission> Core::Submit(std::vector<NewJob> jobs,
                                        const RequestKey& request,
                                        absl::Time now) {
  if (std::optional<Submission> seen = SubmissionOf(request.id)) {
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
  entry.request_id = request.id;
  journal::v1::SweepRecord record;
  record.set_request_id(request.id);
  record.set_request_digest(request.digest);
  Journal::SubmittedJobs records;
  entry.jobs.reserve(jobs.size());
  for (NewJob& submitted : jobs) {
    const JobId id(next_job_++);
    Job& job = entry.jobs.emplace_back();
    FillJob(id, entry.sweep, std::move(submitted), job);
    job.submitted_at = now;
    record.add_job_ids(id.value());
    records.emplace_back(id, SubmittedOf(job));
  }
  Submission submission{entry.sweep, 0, request.digest};
  submission.sequence = journal_->Submitted(entry.sweep, record, records);
  requests_.Add(request.id, submission);
  unrecorded_.emplace(submission.sequence, std::move(entry));
  return submission;
}

void Core::FillJob(JobId id, SweepId sweep, NewJob submitted, Job& job) {
  job.id = id;
  job.sweep = sweep;
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
    Sweep& sweep = sweeps_[entry.sweep];
    sweep.open_jobs = entry.jobs.size();
    sweep.jobs.reserve(entry.jobs.size());
    for (Job& job : entry.jobs) {
      sweep.jobs.push_back(job.id);
      waiting_.Wake(job.id);
      Touch(job);
      jobs_.emplace(job.id, std::move(job));
    }
  }
  if (!waiting_.has_next()) return;
  AdvanceWaiting(now);
  Dispatch(now);
}

void Core::SubmissionRefused(uint64_t sequence) {
  auto refused = unrecorded_.find(sequence);
  if (refused == unrecorded_.end()) return;
  requests_.Remove(refused->second.request_id);
  unrecorded_.erase(refused);
}

}  // namespace hydra
