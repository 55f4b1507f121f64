#include "worker/session/task_queue.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/status/proto_time.h"
#include "common/text/utf8.h"
#include "glog/logging.h"

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

TaskQueue::Lane LaneOf(const Task& task) {
  return task.kind() == worker::v1::TASK_KIND_PREPARE
             ? TaskQueue::Lane::kHost
             : TaskQueue::Lane::kDevice;
}

TaskId IdOf(const Task& task) { return TaskId(task.task_id()); }
TaskId IdOf(const TaskReport& report) { return TaskId(report.task_id()); }
JobId JobOf(const Task& task) { return JobId(task.job_id()); }

TaskReport Refusal(TaskId task, const char* why) {
  TaskReport report;
  report.set_task_id(task.value());
  auto* error = report.mutable_error();
  error->set_code(static_cast<int>(absl::StatusCode::kAborted));
  error->set_message(why);
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
  TakeContexts(desired);
  ReplaceHeld(desired);
  StopCancelled(desired);
  RefuseFollowers();
  return true;
}

bool TaskQueue::BringsNewTask(const DesiredState& desired) const {
  if (desired.sequence() <= desired_sequence_ || stopping_) return false;
  return std::any_of(
      desired.tasks().begin(), desired.tasks().end(), [&](const Task& task) {
        const TaskId id = IdOf(task);
        if (finished_.contains(id)) return false;
        if (IsBegun(id)) return false;
        return std::none_of(
            held_.begin(), held_.end(),
            [&](const BegunTask& held) { return IdOf(held.task) == id; });
      });
}

TaskQueue::Held::const_iterator TaskQueue::FindNext(Lane lane) const {
  if (begun_[static_cast<int>(lane)]) return held_.end();
  return FindHeld(lane, 0);
}

const TaskQueue::BegunTask* TaskQueue::Next(Lane lane, int index) const {
  const auto next = FindHeld(lane, index);
  return next == held_.end() ? nullptr : &*next;
}

TaskQueue::Held::const_iterator TaskQueue::FindHeld(Lane lane,
                                                    int index) const {
  absl::flat_hash_set<JobId> busy_jobs;
  for (int other = 0; other < kLanes; ++other) {
    if (other == static_cast<int>(lane) || !begun_[other]) continue;
    busy_jobs.insert(JobOf(begun_[other]->task));
  }
  // What the device's lane has computed, it may go on with.
  if (lane == Lane::kHost) {
    for (const BegunTask& task : computed_) busy_jobs.insert(JobOf(task.task));
  }
  for (auto held = held_.begin(); held != held_.end(); ++held) {
    // What stands before it in its job comes first.
    if (LaneOf(held->task) != lane) {
      busy_jobs.insert(JobOf(held->task));
    } else if (!busy_jobs.contains(JobOf(held->task)) && index-- == 0) {
      return held;
    }
  }
  return held_.end();
}

bool TaskQueue::IsBegun(TaskId task) const {
  return std::any_of(begun_.begin(), begun_.end(),
                     [task](const auto& begun) {
                       return begun && IdOf(begun->task) == task;
                     }) ||
         std::any_of(computed_.begin(), computed_.end(),
                     [task](const BegunTask& computed) {
                       return IdOf(computed.task) == task;
                     });
}

std::optional<TaskQueue::BegunTask> TaskQueue::Begin(Lane lane,
                                                     absl::Time now) {
  const auto next = FindNext(lane);
  if (next == held_.end()) return std::nullopt;
  BegunTask begun = *next;
  held_.erase(next);
  begun.control = std::make_shared<TaskControl>();
  begun.begun_at = now;
  begun_[static_cast<int>(lane)] = begun;
  return begun;
}

void TaskQueue::Compute(Lane lane) {
  std::optional<BegunTask>& begun = begun_[static_cast<int>(lane)];
  CHECK(begun) << "nothing has begun that could be computed";
  computed_.push_back(*std::move(begun));
  begun.reset();
}

JobId TaskQueue::TakeBegun(TaskId task) {
  JobId job;
  for (auto& begun : begun_) {
    if (!begun || IdOf(begun->task) != task) continue;
    job = JobOf(begun->task);
    begun.reset();
    return job;
  }
  const auto computed = std::find_if(computed_.begin(), computed_.end(),
                                     [task](const BegunTask& computed) {
                                       return IdOf(computed.task) == task;
                                     });
  CHECK(computed != computed_.end())
      << "task " << task << " ends without having begun";
  job = JobOf(computed->task);
  computed_.erase(computed);
  return job;
}

void TaskQueue::Finish(TaskReport report) {
  const JobId job = TakeBegun(IdOf(report));
  if (report.has_error()) RepairMessage(*report.mutable_error());
  AddFinished(job, std::move(report));
  RefuseFollowers();
}

void TaskQueue::FillReport(WorkerReport& report, absl::Time now) {
  report.set_sequence(++report_sequence_);
  report.set_desired_sequence(desired_sequence_);
  report.clear_held();
  const auto add_begun = [&](const BegunTask& begun) {
    auto* held = report.add_held();
    held->set_task_id(begun.task.task_id());
    held->set_begun(true);
    *held->mutable_running() = ToProto(now - begun.begun_at);
    held->set_progress(begun.control->progress());
    return held;
  };
  for (const BegunTask& task : computed_) add_begun(task)->set_computed(true);
  for (const auto& begun : begun_) {
    if (begun) add_begun(*begun);
  }
  for (const BegunTask& task : held_) {
    report.add_held()->set_task_id(task.task.task_id());
  }
  report.clear_contexts();
  for (const auto& [number, context] : contexts_) report.add_contexts(number);
  report.mutable_reports()->Assign(owed_.begin(), owed_.end());
}

void TaskQueue::ForgetAcknowledged(const DesiredState& desired) {
  for (uint64_t id : desired.acknowledged_tasks()) {
    const auto it = finished_.find(TaskId(id));
    if (it != finished_.end()) it->second.owed = false;
  }
  owed_.erase(std::remove_if(owed_.begin(), owed_.end(),
                             [this](const TaskReport& report) {
                               return !finished_.at(IdOf(report)).owed;
                             }),
              owed_.end());
}

void TaskQueue::UpdateFinished(const DesiredState& desired) {
  for (auto& [id, task] : finished_) task.listed = false;
  for (const Task& task : desired.tasks()) {
    const auto it = finished_.find(IdOf(task));
    if (it != finished_.end()) it->second.listed = true;
  }
  absl::erase_if(finished_, [](const auto& entry) {
    return !entry.second.listed && !entry.second.owed;
  });
}

void TaskQueue::TakeContexts(const DesiredState& desired) {
  auto kept = std::exchange(contexts_, {});
  for (uint64_t number : desired.contexts()) {
    const auto found = kept.find(number);
    if (found != kept.end()) contexts_.insert(*found);
  }
  for (const JobContext& job : desired.jobs()) {
    if (job.number() == 0 || contexts_.contains(job.number())) continue;
    contexts_.emplace(job.number(), std::make_shared<JobContext>(job));
  }
}

void TaskQueue::ReplaceHeld(const DesiredState& desired) {
  held_.clear();
  if (stopping_) return;
  absl::flat_hash_map<JobId, std::shared_ptr<const JobContext>> jobs;
  for (const auto& [number, context] : contexts_) {
    jobs[JobId(context->job_id())] = context;
  }
  for (const JobContext& job : desired.jobs()) {
    if (job.number() == 0) {
      jobs[JobId(job.job_id())] = std::make_shared<JobContext>(job);
    }
  }
  for (const Task& task : desired.tasks()) {
    if (IsBegun(IdOf(task))) continue;
    if (finished_.contains(IdOf(task))) continue;
    std::shared_ptr<const JobContext>& job = jobs[JobOf(task)];
    if (job == nullptr) {
      auto unknown = std::make_shared<JobContext>();
      unknown->set_job_id(task.job_id());
      job = std::move(unknown);
    }
    held_.push_back({task, job});
  }
}

void TaskQueue::RefuseFollowers() {
  absl::flat_hash_set<JobId> failed_jobs;
  for (const auto& [id, task] : finished_) {
    if (task.failed && task.listed) failed_jobs.insert(task.job);
  }
  if (failed_jobs.empty()) return;
  for (const BegunTask& held : std::exchange(held_, {})) {
    if (!failed_jobs.contains(JobOf(held.task))) {
      held_.push_back(held);
      continue;
    }
    AddFinished(JobOf(held.task),
                Refusal(IdOf(held.task), "an earlier task of the job failed"));
  }
}

void TaskQueue::StopCancelled(const DesiredState& desired) {
  absl::flat_hash_set<TaskId> cancelled;
  for (uint64_t id : desired.cancelled_tasks()) cancelled.insert(TaskId(id));
  if (cancelled.empty()) return;
  for (const auto& begun : begun_) {
    if (begun && cancelled.contains(IdOf(begun->task))) {
      begun->control->Stop();
    }
  }
  for (const BegunTask& held : std::exchange(held_, {})) {
    if (!cancelled.contains(IdOf(held.task))) {
      held_.push_back(held);
      continue;
    }
    AddFinished(JobOf(held.task),
                Refusal(IdOf(held.task), "cancelled before it began"));
  }
}

void TaskQueue::StopBegun() {
  for (const auto& begun : begun_) {
    if (begun) begun->control->Stop();
  }
}

void TaskQueue::AddFinished(JobId job, TaskReport report) {
  const TaskId id = IdOf(report);
  FinishedTask task;
  task.job = job;
  task.failed = Failed(report);
  finished_.emplace(id, task);
  owed_.push_back(std::move(report));
}

void TaskQueue::CheckInvariants() const {
  absl::flat_hash_set<TaskId> places;
  absl::flat_hash_set<JobId> begun_jobs;
  for (const auto& begun : begun_) {
    if (!begun) continue;
    CHECK(places.insert(IdOf(begun->task)).second);
    CHECK(begun_jobs.insert(JobOf(begun->task)).second);
  }
  for (const BegunTask& task : computed_) {
    CHECK(places.insert(IdOf(task.task)).second);
  }
  for (const BegunTask& task : held_) {
    CHECK(places.insert(IdOf(task.task)).second);
  }
  for (const auto& [id, task] : finished_) {
    CHECK(places.insert(id).second);
    CHECK(task.listed || task.owed);
    if (!task.failed || !task.listed) continue;
    for (const BegunTask& held : held_) {
      CHECK_NE(JobOf(held.task), task.job);
    }
  }
  int64_t owed = 0;
  for (const auto& [id, task] : finished_) owed += task.owed;
  CHECK_EQ(owed, owed_.size());
  for (const TaskReport& report : owed_) {
    CHECK(finished_.at(IdOf(report)).owed);
  }
  CHECK(!stopping_ || held_.empty());
}

}  // namespace hydra
