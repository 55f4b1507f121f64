#include "scheduler/core/job_book.h"

#include <algorithm>
#include <string>
#include <utility>

#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/records.h"

namespace hydra {

Job& JobBook::At(JobId job) {
  const auto found = jobs_.find(job);
  CHECK(found != jobs_.end()) << "unknown job " << job;
  return found->second;
}

const Job& JobBook::At(JobId job) const {
  const Job* found = Find(job);
  CHECK(found != nullptr) << "unknown job " << job;
  return *found;
}

const Job* JobBook::Find(JobId job) const {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : &found->second;
}

Job* JobBook::Find(JobId job) {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : &found->second;
}

std::vector<JobId> JobBook::JobsOf(SweepId sweep) const {
  const auto found = sweeps_.find(sweep);
  return found == sweeps_.end() ? std::vector<JobId>{} : found->second.jobs;
}

std::vector<SweepId> JobBook::Sweeps() const {
  std::vector<SweepId> sweeps;
  for (const auto& [sweep, jobs] : sweeps_) sweeps.push_back(sweep);
  std::reverse(sweeps.begin(), sweeps.end());
  return sweeps;
}

void JobBook::Add(SweepId id, Jobs jobs) {
  Sweep& sweep = sweeps_[id];
  sweep.open_jobs = jobs.size();
  sweep.jobs.reserve(jobs.size());
  for (const auto& [job, state] : jobs) {
    sweep.jobs.push_back(job);
    changes_.Note(job);
  }
  // Moves none of them.
  jobs_.merge(jobs);
}

void JobBook::Restore(SweepId id, std::vector<JobId> jobs) {
  Sweep& sweep = sweeps_[id];
  sweep.open_jobs = jobs.size();
  sweep.jobs = std::move(jobs);
}

bool JobBook::NoteEnded(SweepId sweep) {
  const auto found = sweeps_.find(sweep);
  return found != sweeps_.end() && --found->second.open_jobs == 0;
}

std::vector<JobId> JobBook::Forget(SweepId sweep) {
  std::vector<JobId> jobs = std::move(sweeps_[sweep].jobs);
  sweeps_.erase(sweep);
  forgotten_.push_back(sweep);
  return jobs;
}

void JobBook::Delete(JobId id) {
  const auto sweep = sweeps_.find(At(id).sweep);
  if (sweep != sweeps_.end()) {
    std::vector<JobId>& jobs = sweep->second.jobs;
    jobs.erase(std::remove(jobs.begin(), jobs.end(), id), jobs.end());
    if (jobs.empty()) sweeps_.erase(sweep);
  }
  changes_.Note(id);
  jobs_.erase(id);
}

void JobBook::NoteChange(const Job& job) {
  journal_->JobChanged(job.id, ProgressOf(job));
  Touch(job);
}

void JobBook::Log(const Job& job, const char* severity, absl::string_view text,
                  absl::Time now, const OutstandingTask* task) {
  hydra::v1::LogLine line;
  *line.mutable_time() = ToProto(now);
  line.set_severity(severity);
  line.set_source("hydrad");
  line.set_step(task == nullptr ? -1 : task->task.step);
  line.set_task_id(task == nullptr ? 0 : task->id.value());
  line.set_text(std::string(text));
  actions_->push_back(LineForJob{job.id, std::move(line)});
}

void JobBook::Trace(const Job& job, hydra::v1::DecisionKind kind,
                    absl::Time now, WorkerId worker) {
  actions_->push_back(
      DecisionTrace{kind, now, job.id, worker, job.position.step});
}

JobBook::Changes JobBook::TakeChanges(size_t most) {
  Changes changes;
  changes.jobs = changes_.Take(most);
  changes.taken = changes_.taken();
  // Not before what changed in them.
  if (changes_.empty()) changes.forgotten = std::exchange(forgotten_, {});
  return changes;
}

}  // namespace hydra
