// The part of Core that notices silence, stuck tasks and deaths.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "glog/logging.h"
#include "scheduler/core/blame.h"
#include "scheduler/core/core.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// The daemon itself stood still for so long: silence says nothing then.
constexpr absl::Duration kLongTick = absl::Seconds(2);

}  // namespace

void Core::WorkerStreamEnded(WorkerId id, absl::Time now) {
  WorkerRecord& worker = WorkerOf(id);
  if (!worker.ready()) return;
  worker.state = v1::WORKER_STATE_STARTING;
  worker.missing_since = now;
  worker.lease_until = now + options_.lease;
}

void Core::NoteAbsence(WorkerRecord& worker, absl::Time now) {
  if (worker.absent || worker.ready() ||
      now - worker.missing_since < options_.absence) {
    return;
  }
  worker.absent = true;
  // Jobs may have waited for it.
  waiting_.Wake(kPilotWait);
}

void Core::Tick(absl::Time now) {
  const bool stood_still = now - last_tick_ > kLongTick;
  last_tick_ = now;
  for (WorkerRecord& worker : workers_) {
    if (stood_still && worker.lease_until < now + options_.lease) {
      worker.lease_until = now + options_.lease;
    }
    if (worker.pid != 0 && !worker.ready() &&
        worker.lease_until == absl::InfiniteFuture()) {
      worker.lease_until = now + options_.start_patience;
    }
    if (now >= worker.lease_until) {
      worker.lease_until = absl::InfiniteFuture();
      worker.blameless = true;
      // It is not listened to any more, should it speak before it is dead.
      worker.session.clear();
      Do(WorkerKill{worker.id, "it was silent for too long"});
    }
    KillStuckTask(worker, now);
    NoteAbsence(worker, now);
    if (worker.quarantined_until.has_value() &&
        now >= *worker.quarantined_until) {
      EndQuarantine(worker);
    }
  }
  WakeRested(now);
  LeaveStuckWriter(now);
  BeginExplaining(now);
  ForgetOldSweeps();
  const std::vector<JobId> unsaved(save_again_.begin(), save_again_.end());
  for (JobId id : unsaved) {
    if (now >= JobOf(id).save_again_at) BeginSaving(JobOf(id), now);
  }
}

absl::Duration Core::LongestTime(const Job& job,
                                 const OutstandingTask& task) const {
  const bool measured = job.times.has_value() && task.position.has_value() &&
                        task.task.kind != wv1::TASK_KIND_INIT;
  if (!measured) return options_.watchdog_unmeasured;
  return std::max(
      options_.watchdog_floor,
      options_.watchdog_factor * job.times->EstimateOfFullVisit(task.task));
}

void Core::KillStuckTask(WorkerRecord& worker, absl::Time now) {
  if (!worker.ready()) return;
  // Any of its hand may be the begun one, after a restart of the daemon.
  for (const auto& [job_id, task_id] : worker.hand) {
    Job& job = JobOf(job_id);
    OutstandingTask& task = job.outstanding.front();
    if (task.id != task_id || !task.begun ||
        now - task.got_on_at < LongestTime(job, task)) {
      continue;
    }
    Log(job, "W",
        absl::StrCat("a task has not got on for ",
                     absl::FormatDuration(now - task.got_on_at),
                     ", and was given ",
                     absl::FormatDuration(LongestTime(job, task)),
                     "; its worker is killed"),
        now, &task);
    // Once: the next one is another process.
    task.got_on_at = absl::InfiniteFuture();
    Do(WorkerKill{worker.id, "its task takes too long"});
  }
}

bool Core::IsPoisonous(const Job& job) const {
  return job.crashes_in_a_row >= options_.poison_crashes &&
         (job.crashed_on.size() >= 2 || !HasUntriedDevice(job));
}

void Core::AcquitDevices(JobId job) {
  for (WorkerRecord& worker : workers_) {
    std::vector<JobId>& deaths = worker.deaths;
    deaths.erase(std::remove(deaths.begin(), deaths.end(), job), deaths.end());
    if (worker.quarantined_until.has_value() && deaths.size() < 2) {
      worker.quarantines = 0;
      EndQuarantine(worker);
    }
  }
}

void Core::Quarantine(WorkerRecord& worker, const Job& job,
                      absl::string_view how, absl::Time now) {
  const absl::Duration time =
      QuarantineTime(options_.quarantine, ++worker.quarantines);
  worker.quarantined_until = now + time;
  waiting_.Wake(kPilotWait);
  worker.quarantine_reason = absl::StrCat(
      "its process died ", worker.deaths.size(),
      " times without finishing a task between, of more than one job's, the "
      "last time of ",
      JobName(job.id), "'s (", how, "); it gets no task for ",
      absl::FormatDuration(time));
  Log(job, "W",
      absl::StrCat("worker ", worker.device.name,
                   " is in quarantine: ", worker.quarantine_reason),
      now);
}

void Core::EndQuarantine(WorkerRecord& worker) {
  worker.quarantined_until.reset();
  worker.quarantine_reason.clear();
  waiting_.Wake(kPilotWait);
}

std::string Core::PoisonReason(const Job& job, const OutstandingTask& task,
                               absl::string_view how) const {
  std::string reason = absl::StrCat(
      "POISON: its tasks killed a worker ", job.crashes_in_a_row,
      " times in a row, the last time ", KindName(task.task.kind), " of step ",
      task.task.step, ", layers [", task.task.layers.first, ", ",
      task.task.layers.last, "); the worker: ", how);
  if (!job.last_lines.empty()) {
    absl::StrAppend(&reason, "; the job's last lines: ",
                    absl::StrJoin(job.last_lines, " | "));
  }
  return reason;
}

// The jobs in the queue say it. While one worker is ready, they just wait.
void Core::TellWhyDevicesAreNotFree() {
  std::string reason = kWaitsForADevice;
  if (std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) {
        return !worker.ready() && !worker.trouble.empty();
      })) {
    absl::StrAppend(&reason, ", and none can start; ",
                    workers_.front().device.name, " ",
                    workers_.front().trouble);
  }
  if (reason == waits_for_device_) return;
  for (auto& [id, job] : jobs_) {
    if (job.state != v1::JOB_STATE_PENDING || job.reason != waits_for_device_) {
      continue;
    }
    job.reason = reason;
    Touch(job);
  }
  waits_for_device_ = std::move(reason);
}

void Core::WorkerDied(WorkerId id, absl::string_view how, absl::Time now) {
  WorkerRecord& worker = WorkerOf(id);
  const bool blameless = worker.blameless;
  journal_->WorkerEnded(id);
  worker.state = v1::WORKER_STATE_RESTARTING;
  worker.lease_until = absl::InfiniteFuture();
  worker.pid = 0;
  worker.missing_since = std::min(worker.missing_since, now);
  ++worker.restarts;
  if (!worker.has_called) {
    worker.trouble = absl::StrCat("cannot start: ", how);
    TellWhyDevicesAreNotFree();
  }
  bool first_task_seen = false;
  while (!worker.hand.empty()) {
    Job& job = JobOf(worker.hand.front().first);
    const OutstandingTask task = job.outstanding.front();
    // Its word that it had begun its first task may not have reached us.
    const bool begun = task.begun || !first_task_seen;
    first_task_seen = true;
    job.totals.set_retried_tasks(job.totals.retried_tasks() + (begun ? 1 : 0));
    const bool blamed = begun && !blameless;
    if (blamed) {
      ++job.crashes_in_a_row;
      job.crashed_on.insert(id);
    }
    const bool fault = blamed || (begun && worker.contradicted_itself);
    if (fault) worker.deaths.push_back(job.id);
    Log(job, "W",
        absl::StrCat("worker ", worker.device.name, " died (", how, "); ",
                     begun ? "the task it ran runs again"
                           : "the task it held goes elsewhere"),
        now, &task);
    Abandon(job, 0);
    if (job.in_chain()) journal_->PoolJobChanged(job.id, PoolJobOf(job));
    if (blamed && job.state == v1::JOB_STATE_RUNNING && IsPoisonous(job)) {
      EndJob(job, v1::JOB_STATE_FAILED, PoisonReason(job, task, how), now);
      AcquitDevices(job.id);
      continue;
    }
    // The last device is needed, whatever it is like.
    const bool another = std::any_of(workers_.begin(), workers_.end(),
                                     [&](const WorkerRecord& other) {
                                       return other.id != id && other.usable();
                                     });
    if (fault && another &&
        IsDeviceToBlame(worker.deaths, job.crashes_in_a_row)) {
      Quarantine(worker, job, how, now);
    }
    AfterOutstandingChanged(job, now);
  }
}

}  // namespace hydra
