// The part of Core that takes what workers say.

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Of a job's log, for the reason of its failure.
constexpr int kLastLines = 3;

std::string Describe(const wv1::TaskError& error) {
  std::string text(
      absl::StatusCodeToString(static_cast<absl::StatusCode>(error.code())));
  if (error.layer() >= 0) absl::StrAppend(&text, " in layer ", error.layer());
  return absl::StrCat(text, ": ", error.message());
}

}  // namespace

WorkerRecord& Core::WorkerOf(WorkerId worker) {
  CHECK(worker.value() >= 1 && worker.value() <= workers_.size());
  return workers_[worker.value() - 1];
}

void Core::WorkerStarted(WorkerId id,
                         const journal::v1::WorkerProcess& process) {
  WorkerRecord& worker = WorkerOf(id);
  journal_->WorkerStarted(id, process);
  worker.pid = process.pid();
  worker.session = process.session();
  worker.blameless = false;
  worker.state = v1::WORKER_STATE_STARTING;
  // A new process counts from one again.
  worker.report_sequence = 0;
  worker.log_sequence = 0;
  worker.acknowledged.clear();
  worker.sent = {};
  worker.status.Clear();
}

void Core::WorkerReported(WorkerId id, const wv1::WorkerReport& report,
                          absl::Time now) {
  WorkerRecord& worker = WorkerOf(id);
  // Its process is dead or not announced yet; the next report says all again.
  if (worker.pid == 0 || report.session() != worker.session ||
      report.sequence() <= worker.report_sequence) {
    return;
  }
  worker.report_sequence = report.sequence();
  worker.lease_until = now + options_.silence;
  if (!worker.ready()) {
    worker.state = v1::WORKER_STATE_READY;
    worker.absent = false;
    worker.attached_at = now;
    worker.status_when_attached = report.device();
    worker.must_send = true;
    worker.blameless = false;
  }
  worker.status = report.device();
  worker.acknowledged.clear();
  for (const wv1::TaskReport& task : report.reports()) {
    TakeReport(worker, task, now);
    worker.acknowledged.push_back(task.task_id());
  }
  TakeHeld(worker, report, now);
  TakeLogLines(worker, report);
  AdvanceWaiting(now);
  ContinueParking(now);
  Dispatch(now);
}

void Core::TakeReport(WorkerRecord& worker, const wv1::TaskReport& report,
                      absl::Time now) {
  auto in_hand = std::find_if(worker.hand.begin(), worker.hand.end(),
                              [&](const auto& held) {
                                return held.second.value() == report.task_id();
                              });
  // Recorded before: the acknowledgement was lost.
  if (in_hand == worker.hand.end()) return;
  Job& job = JobOf(in_hand->first);
  CHECK(!job.outstanding.empty() &&
        job.outstanding.front().id.value() == report.task_id())
      << "task " << report.task_id() << " was reported out of order";
  ++worker.finished_tasks;
  const bool ending =
      job.state != v1::JOB_STATE_RUNNING || job.outstanding.front().stray;
  const bool failed =
      report.has_error() || report.result_case() == report.RESULT_NOT_SET;
  if (!ending && !failed) {
    Commit(job, report, now);
  } else {
    FailTask(job, report, now);
  }
  AfterOutstandingChanged(job, now);
}

void Core::FailTask(Job& job, const wv1::TaskReport& report, absl::Time now) {
  OutstandingTask failed = std::move(job.outstanding.front());
  job.outstanding.pop_front();
  if (!job.outstanding.empty()) LeaveToNext(failed, job);
  Release(job, failed);
  if (job.state != v1::JOB_STATE_RUNNING || job.restart_requested ||
      failed.stray) {
    return;
  }
  const std::string reason = Describe(report.error());
  Log(job, "E", reason, now, &failed);
  const auto code = static_cast<absl::StatusCode>(report.error().code());
  if (!failed.wire.restore_dir().empty() &&
      code != absl::StatusCode::kResourceExhausted) {
    TakeBadCheckpoint(job, failed.wire.restore_dir(), report.error(), now);
    return;
  }
  EndJob(job, v1::JOB_STATE_FAILED,
         absl::StrCat(KindName(failed.task.kind), " of step ", failed.task.step,
                      ": ", reason),
         now);
}

void Core::TakeBadCheckpoint(Job& job, const std::string& path,
                             const wv1::TaskError& error, absl::Time now) {
  const auto code = static_cast<absl::StatusCode>(error.code());
  const bool missing = code == absl::StatusCode::kNotFound;
  if (code == absl::StatusCode::kDataLoss || (missing && job.insists)) {
    Log(job, "W",
        absl::StrCat("does not go on from ", path,
                     ", which is damaged or gone, but from the checkpoint "
                     "before it"),
        now);
    for (size_t i = 0; i < job.checkpoints.size(); ++i) {
      if (job.checkpoints[i].info().path() != path) continue;
      RemoveCheckpoint(job, i);
      break;
    }
  } else {
    // It may be whole: somebody has to look.
    job.hold_reason = absl::StrCat(
        "paused: the checkpoint ", path, " cannot be read: ", Describe(error),
        "; resume the job to try again",
        missing ? ", and else to go on from the checkpoint before it" : "");
  }
  job.restart_requested = true;
  Withdraw(job);
}

void Core::TakeHeld(WorkerRecord& worker, const wv1::WorkerReport& report,
                    absl::Time now) {
  absl::flat_hash_map<uint64_t, const wv1::HeldTask*> held;
  for (const wv1::HeldTask& task : report.held()) {
    held[task.task_id()] = &task;
  }
  const std::deque<std::pair<JobId, TaskId>> hand = worker.hand;
  for (const auto& [job_id, task_id] : hand) {
    Job& job = JobOf(job_id);
    for (size_t i = 0; i < job.outstanding.size(); ++i) {
      OutstandingTask& task = job.outstanding[i];
      if (task.id != task_id) continue;
      auto found = held.find(task_id.value());
      if (found != held.end()) {
        const wv1::HeldTask& said = *found->second;
        if (said.begun() && !task.begun) {
          task.got_on_at = now - FromProto(said.running());
        }
        if (said.progress() > task.progress) {
          task.progress = said.progress();
          task.got_on_at = now;
        }
        task.begun = task.begun || said.begun();
        // A begun task of a job that goes on is not withdrawn after all.
        if (task.begun && job.state == v1::JOB_STATE_RUNNING && !task.stray) {
          task.withdrawing = false;
        }
      } else if (task.told_in > 0 &&
                 report.desired_sequence() >= task.told_in) {
        // It was told, and is neither held nor reported: it was dropped.
        Abandon(job, i);
        AfterOutstandingChanged(job, now);
      }
      break;
    }
  }
}

void Core::TakeLogLines(WorkerRecord& worker, const wv1::WorkerReport& report) {
  for (const wv1::JobLogLine& line : report.log_lines()) {
    if (line.sequence() <= worker.log_sequence) continue;
    worker.log_sequence = line.sequence();
    const JobId job(line.job_id());
    if (FindJob(job) == nullptr) continue;
    if (line.dropped_before() > 0) {
      effects_->LogLinesDropped(job, line.dropped_before());
    }
    v1::LogLine kept;
    *kept.mutable_time() = line.time();
    kept.set_severity(line.severity());
    kept.set_source(worker.device.name);
    kept.set_step(line.step());
    kept.set_task_id(line.task_id());
    kept.set_text(line.text());
    std::vector<std::string>& last = JobOf(job).last_lines;
    last.push_back(line.text());
    if (last.size() > kLastLines) last.erase(last.begin());
    effects_->LogForJob(job, kept);
  }
}

// The worker may be running the task after it, and read what this one made: so
// that one holds its slots from now on.
void Core::LeaveToNext(OutstandingTask& task, Job& job) {
  OutstandingTask& next = job.outstanding.front();
  for (const auto& [key, version] : std::exchange(task.made, {})) {
    next.made.emplace_back(key, version);
    FillVersion(key, version, *next.wire.add_writes());
  }
  journal_->TaskHandedOut(next.worker, next.wire);
}

void Core::Release(const Job& job, const OutstandingTask& task) {
  WorkerRecord& worker = WorkerOf(task.worker);
  worker.hand.erase(std::find(worker.hand.begin(), worker.hand.end(),
                              std::make_pair(job.id, task.id)));
  for (const auto& [key, version] : task.made) blocks_.Discard(version);
  journal_->TaskEnded(task.id);
}

void Core::Abandon(Job& job, size_t first) {
  while (job.outstanding.size() > first) {
    Release(job, job.outstanding.back());
    job.outstanding.pop_back();
  }
}

void Core::AfterOutstandingChanged(Job& job, absl::Time now) {
  if (!job.outstanding.empty() || job.ended()) return;
  const bool going_on =
      job.state == v1::JOB_STATE_RUNNING || job.state == v1::JOB_STATE_PENDING;
  if (going_on && job.restart_requested) {
    RestartFromCheckpoint(job, now);
  } else if (going_on) {
    Advance(job, now);
  } else {
    FinishEnding(job, now);
  }
}

std::vector<v1::WorkerStatus> Core::Workers(absl::Time now) const {
  std::vector<v1::WorkerStatus> statuses;
  for (const WorkerRecord& worker : workers_) {
    v1::WorkerStatus status;
    status.set_device(worker.device.name);
    status.set_state(worker.quarantined_until.has_value()
                         ? v1::WORKER_STATE_QUARANTINED
                         : worker.state);
    status.set_reason(worker.quarantine_reason);
    status.set_pid(worker.pid);
    status.set_memory_limit_bytes(worker.device.memory_limit_bytes);
    status.set_peak_bytes(worker.status.peak_bytes());
    status.set_outside_bytes(worker.status.outside_bytes());
    status.set_threads(worker.device.threads);
    status.set_held_tasks(worker.hand.size());
    status.set_finished_tasks(worker.finished_tasks);
    status.set_restarts(worker.restarts);
    if (worker.ready()) {
      const wv1::DeviceStatus& before = worker.status_when_attached;
      *status.mutable_attached() = ToProto(now - worker.attached_at);
      *status.mutable_busy() =
          ToProto(FromProto(worker.status.busy()) - FromProto(before.busy()));
      *status.mutable_compute_cpu() =
          ToProto(FromProto(worker.status.compute_cpu()) -
                  FromProto(before.compute_cpu()));
    }
    for (const auto& [job_id, task_id] : worker.hand) {
      for (const OutstandingTask& task : jobs_.at(job_id).outstanding) {
        if (task.id != task_id || !task.begun) continue;
        status.set_task(
            absl::StrCat(JobName(job_id), " ", KindName(task.task.kind),
                         " shard ", task.task.shard, " step ", task.task.step));
        status.set_held_tasks(status.held_tasks() - 1);
      }
    }
    statuses.push_back(std::move(status));
  }
  return statuses;
}

void Core::StopWorkers() {
  stopping_ = true;
  for (WorkerRecord& worker : workers_) SendDesired(worker);
}

}  // namespace hydra
