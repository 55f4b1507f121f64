// The part of Core that takes what workers say.

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/core/records.h"
#include "scheduler/core/remedy.h"
#include "scheduler/core/report_check.h"

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
  worker.contradicted_itself = false;
  worker.has_called = false;
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
    worker.missing_since = absl::InfiniteFuture();
    worker.attached_at = now;
    worker.status_when_attached = report.device();
    worker.must_send = true;
    worker.contexts.Forget();
    worker.blameless = false;
    worker.has_called = true;
    worker.trouble.clear();
    TellWhyDevicesAreNotFree();
  }
  worker.status = report.device();
  worker.contexts.Reported(report.contexts());
  worker.acknowledged.clear();
  absl::Status taken;
  for (const wv1::TaskReport& task : report.reports()) {
    taken = TakeReport(worker, task, now);
    if (!taken.ok()) break;
    worker.acknowledged.push_back(task.task_id());
  }
  if (taken.ok()) taken = TakeHeld(worker, report, now);
  TakeLogLines(worker, report);
  if (!taken.ok()) Refuse(worker, taken, now);
}

absl::Status Core::TakeReport(WorkerRecord& worker,
                              const wv1::TaskReport& report, absl::Time now) {
  auto in_hand = std::find_if(worker.hand.begin(), worker.hand.end(),
                              [&](const auto& held) {
                                return held.second.value() == report.task_id();
                              });
  // Recorded before: the acknowledgement was lost.
  if (in_hand == worker.hand.end()) return absl::OkStatus();
  Job& job = JobOf(in_hand->first);
  const OutstandingTask& first = job.outstanding.front();
  if (first.id.value() != report.task_id()) {
    return absl::InternalError(
        absl::StrCat("it reports task ", report.task_id(), " of ",
                     JobName(job.id), " before task ", first.id.value()));
  }
  if (absl::Status valid = CheckReport(job.shape, first.task, report);
      !valid.ok()) {
    return valid;
  }
  ++worker.finished_tasks;
  const bool ending =
      job.state != v1::JOB_STATE_RUNNING || job.outstanding.front().stray;
  if (!ending && !report.has_error()) {
    Commit(job, report, now);
  } else {
    FailTask(job, report, now);
  }
  AfterOutstandingChanged(job, now);
  return absl::OkStatus();
}

// What it holds goes elsewhere once it is dead. No job is to blame.
void Core::Refuse(WorkerRecord& worker, const absl::Status& why,
                  absl::Time now) {
  worker.session.clear();
  worker.blameless = true;
  worker.contradicted_itself = true;
  worker.state = v1::WORKER_STATE_STARTING;
  worker.missing_since = now;
  worker.lease_until = absl::InfiniteFuture();
  const std::string reason = absl::StrCat(
      "worker ", worker.device.name, " contradicts itself: ", why.message());
  for (const auto& [job_id, task_id] : worker.hand) {
    Log(JobOf(job_id), "W", absl::StrCat(reason, "; it is started again"), now);
  }
  Do(WorkerKill{worker.id, reason});
}

void Core::FailTask(Job& job, const wv1::TaskReport& report, absl::Time now) {
  OutstandingTask failed = std::move(job.outstanding.front());
  job.outstanding.erase(job.outstanding.begin());
  if (!job.outstanding.empty()) LeaveToNext(failed, job);
  Release(job, failed);
  if (job.state != v1::JOB_STATE_RUNNING || job.restart_requested ||
      failed.stray) {
    return;
  }
  const auto code = static_cast<absl::StatusCode>(report.error().code());
  if (code == absl::StatusCode::kAborted && failed.told_to_stop) {
    Disown(job);
    return;
  }
  std::string reason =
      absl::StrCat(KindName(failed.task.kind), " of step ", failed.task.step,
                   ": ", Describe(report.error()));
  Log(job, "E", Describe(report.error()), now, &failed);
  const Remedy remedy = RemedyOf(failed.task.kind, code);
  if (remedy == Remedy::kAgain && TryAgain(job, reason, now)) return;
  if (remedy == Remedy::kCutAnew && CutAnew(job, reason, now)) return;
  if (!failed.wire.restore_dir().empty() &&
      code != absl::StatusCode::kResourceExhausted) {
    TakeBadCheckpoint(job, failed.wire.restore_dir(), report.error(), now);
    return;
  }
  if (remedy == Remedy::kAgain) {
    absl::StrAppend(&reason, "; it was tried ", job.failures_in_a_row,
                    " times");
  } else if (remedy == Remedy::kCutAnew) {
    absl::StrAppend(&reason,
                    job.partition->source() == "given"
                        ? "; the cut points are the job's own: without "
                          "partition.cut_points a pilot finds some that fit"
                        : "; the pilot left half of the device free already");
  }
  EndJob(job, v1::JOB_STATE_FAILED, std::move(reason), now);
}

void Core::Disown(Job& job) {
  for (OutstandingTask& task : job.outstanding) {
    task.withdrawing = true;
    task.stray = true;
  }
}

bool Core::TryAgain(Job& job, absl::string_view reason, absl::Time now) {
  if (++job.failures_in_a_row > options_.task_retries) return false;
  const absl::Duration pause = PauseAfter(job.failures_in_a_row);
  job.rests_until = now + pause;
  job.reason = absl::StrCat(
      reason, "; it is tried again after ", absl::FormatDuration(pause), ", ",
      options_.task_retries - job.failures_in_a_row, " times more");
  Disown(job);
  NoteChange(job);
  return true;
}

bool Core::CutAnew(Job& job, absl::string_view reason, absl::Time now) {
  if (job.partition->source() == "given") return false;
  int64_t device_bytes = std::numeric_limits<int64_t>::max();
  for (const WorkerRecord& worker : workers_) {
    device_bytes = std::min(device_bytes, worker.device.memory_limit_bytes);
  }
  const int64_t reserve = NextReserve(job.pilot_reserve_bytes, device_bytes);
  if (reserve == 0) return false;
  job.pilot_reserve_bytes = reserve;
  Log(job, "W",
      absl::StrCat(reason, "; a pilot cuts the model anew and leaves ", reserve,
                   " bytes of the device free"),
      now);
  job.save_before_restart = true;
  job.restart_requested = true;
  Disown(job);
  NoteChange(job);
  return true;
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

absl::Status Core::TakeHeld(WorkerRecord& worker,
                            const wv1::WorkerReport& report, absl::Time now) {
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
          task.got_on_at =
              now - std::max(absl::ZeroDuration(), FromProto(said.running()));
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
        if (task.begun) {
          return absl::InternalError(
              absl::StrCat("it began task ", task_id.value(),
                           ", and neither holds nor reports it"));
        }
        // It was told, and is neither held nor reported: it was dropped.
        Abandon(job, i);
        AfterOutstandingChanged(job, now);
      }
      break;
    }
  }
  return absl::OkStatus();
}

void Core::TakeLogLines(WorkerRecord& worker, const wv1::WorkerReport& report) {
  for (const wv1::JobLogLine& line : report.log_lines()) {
    if (line.sequence() <= worker.log_sequence) continue;
    worker.log_sequence = line.sequence();
    const JobId job(line.job_id());
    if (FindJob(job) == nullptr) continue;
    if (line.dropped_before() > 0) {
      Do(DroppedLines{job, line.dropped_before()});
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
    Do(LineForJob{job, std::move(kept)});
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
  if (going_on) {
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
    status.set_reason(worker.trouble.empty() ? worker.quarantine_reason
                                             : worker.trouble);
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

void Core::StopWorkers() { stopping_ = true; }

}  // namespace hydra
