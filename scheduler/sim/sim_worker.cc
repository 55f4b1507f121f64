#include "scheduler/sim/sim_worker.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "common/protocol/task_format.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/sim/delays.h"

namespace hydra {

namespace wv1 = hydra::worker::v1;

namespace {

// Some tasks' worth.
constexpr size_t kCachedVersions = 24;

}  // namespace

void SimWorker::Apply(const wv1::DesiredState& desired) {
  if (desired.sequence() <= desired_sequence_) return;
  desired_sequence_ = desired.sequence();
  held_.clear();
  cancelled_ = {desired.cancelled_tasks().begin(),
                desired.cancelled_tasks().end()};
  auto kept = std::exchange(contexts_, {});
  for (uint64_t number : desired.contexts()) {
    if (kept.count(number) > 0) contexts_[number] = kept[number];
  }
  for (const wv1::JobContext& job : desired.jobs()) {
    contexts_[job.number()] = job;
  }
  std::set<uint64_t> listed;
  for (const wv1::Task& task : desired.tasks()) {
    listed.insert(task.task_id());
    if (begun_.count(task.task_id()) == 0) held_.push_back(task);
  }
  for (auto it = failed_.begin(); it != failed_.end();) {
    it = listed.count(it->first) == 0 ? failed_.erase(it) : std::next(it);
  }
  for (uint64_t acknowledged : desired.acknowledged_tasks()) {
    reports_.erase(std::remove_if(reports_.begin(), reports_.end(),
                                  [&](const wv1::TaskReport& report) {
                                    return report.task_id() == acknowledged;
                                  }),
                   reports_.end());
  }
}

std::optional<uint64_t> SimWorker::Begin(absl::Time now) {
  while (!computing_.has_value() && !held_.empty()) {
    wv1::Task task = held_.front();
    held_.erase(held_.begin());
    CHECK(begun_.insert(task.task_id()).second)
        << "task " << task.task_id() << " began twice";
    if (HasFailed(task.job_id())) {
      wv1::TaskReport report;
      report.set_task_id(task.task_id());
      ReportFailure(task, absl::StatusCode::kAborted, report);
      continue;
    }
    device_.CheckReads(task);
    Computing& computing = computing_.emplace();
    computing.reserve_bytes = ContextOf(task).prefetch_bytes();
    computing.begun_at = now;
    computing.task = std::move(task);
    return computing.task.task_id();
  }
  return std::nullopt;
}

const wv1::JobContext& SimWorker::ContextOf(const wv1::Task& task) const {
  const auto found = std::find_if(
      contexts_.begin(), contexts_.end(), [&](const auto& context) {
        return context.second.job_id() == task.job_id();
      });
  CHECK(found != contexts_.end())
      << "nothing is known of job " << task.job_id() << ", whose task "
      << task.task_id() << " begins";
  return found->second;
}

bool SimWorker::HasFailed(uint64_t job) const {
  return std::any_of(failed_.begin(), failed_.end(),
                     [&](const auto& entry) { return entry.second == job; });
}

bool SimWorker::ShouldStop() const {
  return setup_->stops_when_told && computing_.has_value() &&
         cancelled_.count(computing_->task.task_id()) > 0;
}

bool SimWorker::Finish(const Took& took, const absl::Status& failure,
                       bool nonfinite, bool written_later) {
  CHECK(computing_.has_value());
  const Computing computing = *std::exchange(computing_, std::nullopt);
  const wv1::Task& task = computing.task;
  device_.CheckReads(task);
  wv1::TaskReport report;
  report.set_task_id(task.task_id());
  *report.mutable_cost()->mutable_wall() = ToProto(took.wall);
  *report.mutable_cost()->mutable_copy() = ToProto(took.waited);
  *report.mutable_cost()->mutable_begun() = ToProto(computing.begun_at);
  absl::Status outcome = device_.Compute(task, computing.reserve_bytes, report);
  if (!failure.ok()) outcome = failure;
  if (!device_.HasRoomFor(task)) outcome = absl::ResourceExhaustedError("");
  if (nonfinite && (task.kind() == wv1::TASK_KIND_TURN ||
                    task.kind() == wv1::TASK_KIND_BACKWARD ||
                    task.kind() == wv1::TASK_KIND_UPDATE)) {
    report.mutable_pass()->add_skipped_blocks(0);
  }
  Cache(task);
  if (!outcome.ok()) {
    // It waits for all copies of the device.
    while (!computed_.empty()) WriteBack();
    ReportFailure(task, outcome.code(), report);
    return true;
  }
  if (written_later || !computed_.empty()) {
    computed_.push_back({computing, std::move(report)});
    return false;
  }
  reports_.push_back(std::move(report));
  return true;
}

// A version of a failed task may be there, too, and be listed.
void SimWorker::Cache(const wv1::Task& task) {
  for (const auto* versions : {&task.reads(), &task.writes()}) {
    for (const wv1::BlockVersion& version : *versions) {
      cached_.push_back(version.version());
    }
  }
  while (cached_.size() > kCachedVersions) cached_.pop_front();
}

void SimWorker::WriteBack() {
  if (computed_.empty()) return;
  reports_.push_back(std::move(computed_.front().report));
  computed_.pop_front();
}

std::vector<wv1::Task> SimWorker::UnwrittenTasks() const {
  std::vector<wv1::Task> tasks;
  for (const Computed& computed : computed_) {
    tasks.push_back(computed.task.task);
  }
  if (computing_.has_value()) tasks.push_back(computing_->task);
  return tasks;
}

void SimWorker::ReportFailure(const wv1::Task& task, absl::StatusCode code,
                              wv1::TaskReport& report) {
  report.mutable_error()->set_code(static_cast<int>(code));
  report.mutable_error()->set_layer(-1);
  failed_[task.task_id()] = task.job_id();
  reports_.push_back(report);
}

void SimWorker::AddHeld(const Computing& task, absl::Time now, bool computed,
                        wv1::WorkerReport& report) const {
  wv1::HeldTask* held = report.add_held();
  const absl::Duration running = now - task.begun_at;
  held->set_task_id(task.task.task_id());
  held->set_begun(true);
  held->set_computed(computed);
  *held->mutable_running() = ToProto(running);
  if (!task.hung) held->set_progress(running / kSecond);
}

wv1::WorkerReport SimWorker::Report(absl::Time now) {
  wv1::WorkerReport report;
  report.set_sequence(++sequence_);
  report.set_task_format(kTaskFormat);
  report.set_desired_sequence(desired_sequence_);
  for (const Computed& computed : computed_) {
    AddHeld(computed.task, now, /*computed=*/true, report);
  }
  if (computing_.has_value()) {
    AddHeld(*computing_, now, /*computed=*/false, report);
  }
  for (const wv1::Task& task : held_) {
    report.add_held()->set_task_id(task.task_id());
  }
  for (const auto& [number, context] : contexts_) report.add_contexts(number);
  report.mutable_device()->mutable_cached_versions()->Assign(cached_.begin(),
                                                             cached_.end());
  report.mutable_reports()->Assign(reports_.begin(), reports_.end());
  return report;
}

}  // namespace hydra
