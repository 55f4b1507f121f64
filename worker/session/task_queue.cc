#include "worker/session/task_queue.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "worker/data/utf8.h"

namespace hydra {

using worker::v1::DesiredState;
using worker::v1::JobContext;
using worker::v1::Task;
using worker::v1::TaskReport;
using worker::v1::WorkerReport;

namespace {

bool Failed(const TaskReport& report) {
  return !report.has_pass() && !report.has_prepare() && !report.has_pilot();
}

// A protobuf string must be UTF-8: one bad byte, perhaps quoted from a user's
// file, would make the daemon refuse the whole message.
void RepairMessage(worker::v1::TaskError& error) {
  std::string storage;
  const absl::string_view repaired = RepairUtf8(error.message(), &storage);
  if (repaired != error.message()) error.set_message(std::string(repaired));
}

TaskReport Refusal(uint64_t task_id) {
  TaskReport report;
  report.set_task_id(task_id);
  auto* error = report.mutable_error();
  error->set_code(static_cast<int>(absl::StatusCode::kAborted));
  error->set_message("an earlier task of the job failed");
  error->set_layer(-1);
  return report;
}

}  // namespace

bool TaskQueue::ApplyDesired(const DesiredState& desired) {
  if (desired.sequence() <= desired_sequence_) return false;
  desired_sequence_ = desired.sequence();
  stopping_ = stopping_ || desired.stop();
  ForgetAcknowledged(desired);
  UpdateFinished(desired);
  ReplaceHeld(desired);
  RefuseFollowers();
  return true;
}

bool TaskQueue::BringsNewTask(const DesiredState& desired) const {
  if (desired.sequence() <= desired_sequence_ || stopping_) return false;
  return std::any_of(
      desired.tasks().begin(), desired.tasks().end(), [&](const Task& task) {
        const uint64_t id = task.task_id();
        if (finished_.contains(id)) return false;
        if (begun_ && begun_->task.task_id() == id) return false;
        return std::none_of(
            held_.begin(), held_.end(),
            [&](const BegunTask& held) { return held.task.task_id() == id; });
      });
}

std::optional<TaskQueue::BegunTask> TaskQueue::Begin() {
  if (!can_begin()) return std::nullopt;
  begun_ = std::move(held_.front());
  held_.pop_front();
  return begun_;
}

void TaskQueue::Finish(TaskReport report) {
  CHECK(begun_ && begun_->task.task_id() == report.task_id())
      << "task " << report.task_id() << " ends without having begun";
  const uint64_t job_id = begun_->task.job_id();
  begun_.reset();
  if (report.has_error()) RepairMessage(*report.mutable_error());
  AddFinished(job_id, std::move(report));
  RefuseFollowers();
}

void TaskQueue::FillReport(WorkerReport& report) {
  report.set_sequence(++report_sequence_);
  report.set_desired_sequence(desired_sequence_);
  report.clear_held();
  if (begun_) {
    auto* held = report.add_held();
    held->set_task_id(begun_->task.task_id());
    held->set_begun(true);
  }
  for (const BegunTask& task : held_) {
    report.add_held()->set_task_id(task.task.task_id());
  }
  report.mutable_reports()->Assign(owed_.begin(), owed_.end());
}

void TaskQueue::ForgetAcknowledged(const DesiredState& desired) {
  for (uint64_t id : desired.acknowledged_tasks()) {
    const auto it = finished_.find(id);
    if (it != finished_.end()) it->second.owed = false;
  }
  owed_.erase(std::remove_if(owed_.begin(), owed_.end(),
                             [this](const TaskReport& report) {
                               return !finished_.at(report.task_id()).owed;
                             }),
              owed_.end());
}

void TaskQueue::UpdateFinished(const DesiredState& desired) {
  for (auto& [id, task] : finished_) task.listed = false;
  for (const Task& task : desired.tasks()) {
    const auto it = finished_.find(task.task_id());
    if (it != finished_.end()) it->second.listed = true;
  }
  absl::erase_if(finished_, [](const auto& entry) {
    return !entry.second.listed && !entry.second.owed;
  });
}

void TaskQueue::ReplaceHeld(const DesiredState& desired) {
  held_.clear();
  if (stopping_) return;
  absl::flat_hash_map<uint64_t, std::shared_ptr<const JobContext>> jobs;
  for (const JobContext& job : desired.jobs()) {
    jobs[job.job_id()] = std::make_shared<JobContext>(job);
  }
  for (const Task& task : desired.tasks()) {
    if (begun_ && begun_->task.task_id() == task.task_id()) continue;
    if (finished_.contains(task.task_id())) continue;
    std::shared_ptr<const JobContext>& job = jobs[task.job_id()];
    if (job == nullptr) {
      auto unknown = std::make_shared<JobContext>();
      unknown->set_job_id(task.job_id());
      job = std::move(unknown);
    }
    held_.push_back({task, job});
  }
}

void TaskQueue::RefuseFollowers() {
  absl::flat_hash_set<uint64_t> failed_jobs;
  for (const auto& [id, task] : finished_) {
    if (task.failed && task.listed) failed_jobs.insert(task.job_id);
  }
  if (failed_jobs.empty()) return;
  for (const BegunTask& held : std::exchange(held_, {})) {
    if (!failed_jobs.contains(held.task.job_id())) {
      held_.push_back(held);
      continue;
    }
    AddFinished(held.task.job_id(), Refusal(held.task.task_id()));
  }
}

void TaskQueue::AddFinished(uint64_t job_id, TaskReport report) {
  const uint64_t id = report.task_id();
  FinishedTask task;
  task.job_id = job_id;
  task.failed = Failed(report);
  finished_.emplace(id, task);
  owed_.push_back(std::move(report));
}

void TaskQueue::CheckInvariants() const {
  absl::flat_hash_set<uint64_t> places;
  if (begun_) places.insert(begun_->task.task_id());
  for (const BegunTask& task : held_) {
    CHECK(places.insert(task.task.task_id()).second);
  }
  for (const auto& [id, task] : finished_) {
    CHECK(places.insert(id).second);
    CHECK(task.listed || task.owed);
    if (!task.failed || !task.listed) continue;
    for (const BegunTask& held : held_) {
      CHECK_NE(held.task.job_id(), task.job_id);
    }
  }
  int64_t owed = 0;
  for (const auto& [id, task] : finished_) owed += task.owed;
  CHECK_EQ(owed, owed_.size());
  for (const TaskReport& report : owed_) {
    CHECK(finished_.at(report.task_id()).owed);
  }
  CHECK(!stopping_ || held_.empty());
}

}  // namespace hydra
