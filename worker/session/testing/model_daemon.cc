#include "worker/session/testing/model_daemon.h"

#include <algorithm>

namespace hydra {

using worker::v1::DesiredState;
using worker::v1::TaskReport;
using worker::v1::WorkerReport;

void ModelDaemon::Issue(uint64_t job_id) {
  for (uint64_t id : open_withdrawals_) {
    if (tasks_.at(id).job_id == job_id) return;
  }
  const uint64_t id = next_task_id_++;
  tasks_[id].job_id = job_id;
  tasks_[id].attempt = attempts_[job_id];
  listed_.push_back(id);
}

void ModelDaemon::Withdraw(size_t index) {
  const uint64_t job_id = tasks_.at(listed_.at(index)).job_id;
  const auto withdrawn = std::stable_partition(
      listed_.begin() + index, listed_.end(),
      [&](uint64_t id) { return tasks_.at(id).job_id != job_id; });
  for (auto it = withdrawn; it != listed_.end(); ++it) {
    tasks_.at(*it).withdrawn_by = sequence_ + 1;
    open_withdrawals_.insert(*it);
  }
  listed_.erase(withdrawn, listed_.end());
}

DesiredState ModelDaemon::MakeDesired() {
  DesiredState desired;
  desired.set_sequence(++sequence_);
  std::set<uint64_t> jobs;
  for (uint64_t id : listed_) {
    auto* task = desired.add_tasks();
    task->set_task_id(id);
    task->set_job_id(tasks_.at(id).job_id);
    task->set_kind(worker::v1::TASK_KIND_NOOP);
    jobs.insert(tasks_.at(id).job_id);
  }
  for (uint64_t job_id : jobs) desired.add_jobs()->set_job_id(job_id);
  for (uint64_t id : acknowledged_) desired.add_acknowledged_tasks(id);
  return desired;
}

void ModelDaemon::Receive(const WorkerReport& report) {
  if (report.sequence() <= newest_report_) return;
  newest_report_ = report.sequence();
  std::set<uint64_t> owed;
  for (const TaskReport& task : report.reports()) {
    owed.insert(task.task_id());
    Record(task);
  }
  for (auto it = acknowledged_.begin(); it != acknowledged_.end();) {
    it = owed.count(*it) > 0 ? std::next(it) : acknowledged_.erase(it);
  }
  ResolveWithdrawals(report);
}

void ModelDaemon::Record(const TaskReport& report) {
  IssuedTask& task = tasks_.at(report.task_id());
  acknowledged_.insert(report.task_id());
  if (task.outcome != Outcome::kPending) return;
  task.outcome = report.has_pass() ? Outcome::kDone : Outcome::kFailed;
  listed_.erase(std::remove(listed_.begin(), listed_.end(), report.task_id()),
                listed_.end());
  ++recorded_count_;
  open_withdrawals_.erase(report.task_id());
  if (task.outcome == Outcome::kFailed) GiveUpAttempt(task.job_id);
}

void ModelDaemon::GiveUpAttempt(uint64_t job_id) {
  ++attempts_[job_id];
  for (size_t i = 0; i < listed_.size(); ++i) {
    if (tasks_.at(listed_[i]).job_id == job_id) return Withdraw(i);
  }
}

void ModelDaemon::ResolveWithdrawals(const WorkerReport& report) {
  std::set<uint64_t> held;
  for (const auto& task : report.held()) held.insert(task.task_id());
  for (auto it = open_withdrawals_.begin(); it != open_withdrawals_.end();) {
    IssuedTask& task = tasks_.at(*it);
    if (*task.withdrawn_by > report.desired_sequence() || held.count(*it) > 0) {
      ++it;
      continue;
    }
    task.outcome = Outcome::kWithdrawn;
    ++withdrawn_count_;
    it = open_withdrawals_.erase(it);
  }
}

}  // namespace hydra
