#include "scheduler/runtime/read_model.h"

#include <algorithm>

#include "glog/logging.h"
#include "scheduler/core/job.h"
#include "scheduler/forecast/queued_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// Of one turn of the core: some milliseconds.
constexpr size_t kMostChanges = 500;

std::shared_ptr<ReadModel::Entry> EntryOf(const Job& job) {
  auto entry = std::make_shared<ReadModel::Entry>();
  entry->job = job.id;
  entry->sweep = job.sweep;
  entry->owner = job.owner;
  entry->project_group = job.project_group;
  entry->state = job.state();
  entry->ended = job.ended();
  entry->is_held =
      job.state() == v1::JOB_STATE_PAUSED && job.intent == Intent::kHold;
  entry->status = StatusOf(job).SerializeAsString();
  entry->summary_only = job.summary_only;
  entry->seen = {job.owner,        job.state(),      job.position.step,
                 job.StepTokens(), job.submitted_at, job.started_at};
  if (std::optional<QueuedJob> queued = QueuedJobOf(job)) {
    entry->queued = std::make_shared<const QueuedJob>(*std::move(queued));
  }
  if (!IsEmpty(job)) {
    entry->parts = std::make_shared<const DetailParts>(job);
  }
  return entry;
}

}  // namespace

v1::JobStatus ReadModel::Entry::Status() const {
  v1::JobStatus parsed;
  CHECK(parsed.ParseFromString(status));
  return parsed;
}

void ReadModel::Update(Core& core, absl::Time now) {
  const JobBook::Changes changes = core.TakeChanges(kMostChanges);
  std::vector<std::shared_ptr<Entry>> entries;
  std::vector<JobId> gone;
  for (JobId id : changes.jobs) {
    if (const Job* job = core.jobs().Find(id)) {
      entries.push_back(EntryOf(*job));
    } else {
      gone.push_back(id);
    }
  }
  auto workers =
      std::make_shared<std::vector<v1::WorkerStatus>>(core.Workers(now));
  const bool workers_changed = NoteWorkers(*workers);

  absl::MutexLock lock(&mu_);
  for (std::shared_ptr<Entry>& entry : entries) {
    const auto known = jobs_.find(entry->job);
    entry->revision =
        known != jobs_.end() && known->second->status == entry->status
            ? known->second->revision
            : ++last_revision_;
    entry->state_revision =
        known != jobs_.end() && known->second->state == entry->state
            ? known->second->state_revision
            : entry->revision;
    Write(core, std::move(entry));
  }
  for (JobId id : gone) Remove(id);
  for (SweepId sweep : changes.forgotten) Forget(sweep);
  if (workers_changed) ++workers_.revision;
  workers_.statuses = std::move(workers);
  pool_ = {core.pool().used_bytes, core.pool().reserved_bytes};
  maintenance_ = core.maintenance();
  settled_ = changes.taken;
}

bool ReadModel::NoteWorkers(std::vector<v1::WorkerStatus>& workers) {
  written_now_.clear();
  for (v1::WorkerStatus& worker : workers) {
    // That time goes by is no change.
    google::protobuf::Duration* const attached = worker.release_attached();
    worker.AppendToString(&written_now_);
    worker.set_allocated_attached(attached);
  }
  written_now_.swap(written_before_);
  return written_now_ != written_before_;
}

void ReadModel::Write(const Core& core, EntryPtr entry) {
  by_revision_.emplace(entry->revision, entry->job);
  const auto [found, is_new] = sweeps_.try_emplace(entry->sweep);
  Sweep& sweep = found->second;
  if (is_new) sweep.open_jobs = core.jobs().JobsOf(entry->sweep).size();
  EntryPtr& known = jobs_[entry->job];
  if (known == nullptr) {
    sweep.jobs.insert(
        std::upper_bound(sweep.jobs.begin(), sweep.jobs.end(), entry->job),
        entry->job);
    job_meter_.Come(entry->seen);
  } else {
    if (known->revision != entry->revision) {
      by_revision_.erase(known->revision);
    }
    job_meter_.Change(known->seen, entry->seen);
  }
  if (entry->ended && (known == nullptr || !known->ended)) --sweep.open_jobs;
  known = std::move(entry);
}

void ReadModel::Forget(SweepId id) {
  const auto sweep = sweeps_.find(id);
  if (sweep == sweeps_.end()) return;
  for (JobId job : sweep->second.jobs) {
    const auto known = jobs_.find(job);
    job_meter_.Go(known->second->seen);
    by_revision_.erase(known->second->revision);
    jobs_.erase(known);
  }
  sweeps_.erase(sweep);
}

void ReadModel::Remove(JobId id) {
  const auto known = jobs_.find(id);
  if (known == jobs_.end()) return;
  const Entry& entry = *known->second;
  const auto sweep = sweeps_.find(entry.sweep);
  std::vector<JobId>& jobs = sweep->second.jobs;
  jobs.erase(std::remove(jobs.begin(), jobs.end(), id), jobs.end());
  if (!entry.ended) --sweep->second.open_jobs;
  if (jobs.empty()) sweeps_.erase(sweep);
  job_meter_.Go(entry.seen);
  by_revision_.erase(entry.revision);
  jobs_.erase(known);
}

bool ReadModel::Settle(uint64_t noted, absl::Duration patience) const {
  absl::MutexLock lock(&mu_);
  const auto settled = [this, noted]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return settled_ >= noted;
  };
  return mu_.AwaitWithTimeout(absl::Condition(&settled), patience);
}

ReadModel::EntryPtr ReadModel::Find(JobId job) const {
  absl::MutexLock lock(&mu_);
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : found->second;
}

std::vector<JobId> ReadModel::JobsOf(SweepId sweep) const {
  absl::MutexLock lock(&mu_);
  const auto found = sweeps_.find(sweep);
  return found == sweeps_.end() ? std::vector<JobId>{} : found->second.jobs;
}

ReadModel::SweepState ReadModel::StateOf(SweepId sweep) const {
  absl::MutexLock lock(&mu_);
  const auto found = sweeps_.find(sweep);
  if (found == sweeps_.end()) return {};
  return {true, found->second.open_jobs == 0};
}

std::vector<ReadModel::EntryPtr> ReadModel::After(
    const std::optional<Place>& place, std::optional<SweepId> only) const {
  std::vector<EntryPtr> entries;
  absl::MutexLock lock(&mu_);
  // The first sweep to look at: the place's, if it is still there.
  auto end = only.has_value()    ? sweeps_.upper_bound(*only)
             : place.has_value() ? sweeps_.upper_bound(place->sweep)
                                 : sweeps_.end();
  while (end != sweeps_.begin() && entries.size() < kMostEntries) {
    const auto& [id, sweep] = *--end;
    if (only.has_value() && id != *only) break;
    auto job =
        place.has_value() && place->sweep == id
            ? std::upper_bound(sweep.jobs.begin(), sweep.jobs.end(), place->job)
            : sweep.jobs.begin();
    for (; job != sweep.jobs.end() && entries.size() < kMostEntries; ++job) {
      entries.push_back(jobs_.at(*job));
    }
  }
  return entries;
}

uint64_t ReadModel::revision() const {
  absl::MutexLock lock(&mu_);
  return last_revision_;
}

std::vector<ReadModel::EntryPtr> ReadModel::ChangedAfter(
    uint64_t revision) const {
  std::vector<EntryPtr> entries;
  absl::MutexLock lock(&mu_);
  for (auto it = by_revision_.upper_bound(revision);
       it != by_revision_.end() && entries.size() < kMostEntries; ++it) {
    entries.push_back(jobs_.at(it->second));
  }
  return entries;
}

ReadModel::Workers ReadModel::workers() const {
  absl::MutexLock lock(&mu_);
  return workers_;
}

ReadModel::Pool ReadModel::pool() const {
  absl::MutexLock lock(&mu_);
  return pool_;
}

std::optional<std::string> ReadModel::maintenance() const {
  absl::MutexLock lock(&mu_);
  return maintenance_;
}

JobMeter ReadModel::job_meter() const {
  absl::MutexLock lock(&mu_);
  return job_meter_;
}

}  // namespace hydra
