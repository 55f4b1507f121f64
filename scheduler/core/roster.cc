#include "scheduler/core/roster.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/protocol/task_format.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/blame.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// The daemon itself stood still for so long: silence says nothing then.
constexpr absl::Duration kLongTick = absl::Seconds(2);

// A smaller device than its cut points were found for cannot run a job.
bool FitsDevice(const Job& job, const WorkerRecord& worker) {
  return job.partition_limit_bytes <= worker.device.memory_limit_bytes;
}

// No device keeps so many blocks.
constexpr int kMostCachedVersions = 1 << 16;

void TakeStatus(const wv1::DeviceStatus& status, WorkerRecord& worker) {
  worker.status = status;
  worker.status.clear_cached_versions();
  worker.cached.clear();
  if (status.cached_versions_size() > kMostCachedVersions) return;
  for (uint64_t version : status.cached_versions()) {
    worker.cached.insert(VersionId(version));
  }
}

std::string ReasonAfterColon(const std::string& reason) {
  return reason.empty() ? "" : absl::StrCat(": ", reason);
}

void FillLanes(const LaneWindow::Shares& shares, v1::WorkerStatus& status) {
  if (shares.computing) status.set_computing(*shares.computing);
  if (shares.promoting) status.set_promoting(*shares.promoting);
  if (shares.demoting) status.set_demoting(*shares.demoting);
}

}  // namespace

Roster::Roster(const CoreOptions* options, JobBook* book, JobQueue* queue,
               Journal* journal, Actions* actions)
    : options_(options),
      book_(book),
      queue_(queue),
      journal_(journal),
      actions_(actions) {
  for (const DeviceOptions& device : options_->devices) {
    WorkerRecord worker;
    worker.id = WorkerId(workers_.size() + 1);
    worker.device = device;
    worker.desired_sequence = FirstNumber(options_->generation);
    workers_.push_back(std::move(worker));
  }
}

WorkerRecord& Roster::At(WorkerId worker) {
  CHECK(worker.value() >= 1 && worker.value() <= workers_.size());
  return workers_[worker.value() - 1];
}

bool Roster::HasUntriedDevice(const Job& job) const {
  return std::any_of(all().begin(), all().end(),
                     [&](const WorkerRecord& worker) {
                       return worker.usable() && FitsDevice(job, worker) &&
                              job.crashed_on.count(worker.id) == 0;
                     });
}

bool Roster::MayTry(const WorkerRecord& worker, const Job& job) const {
  if (!worker.usable() || !FitsDevice(job, worker)) return false;
  return job.crashed_on.count(worker.id) == 0 || !HasUntriedDevice(job);
}

bool Roster::IsOfEarlierVersion(const WorkerRecord& worker) {
  return worker.task_format < kTaskFormat;
}

bool Roster::CanRun(const WorkerRecord& worker, const Job& job) const {
  if (IsOfEarlierVersion(worker) || !MayTry(worker, job)) return false;
  return job.phase() != v1::JOB_PHASE_PILOT ||
         worker.device.memory_limit_bytes ==
             PilotDevice(job).memory_limit_bytes;
}

const DeviceOptions& Roster::PilotDevice(const Job& job) const {
  const WorkerRecord* least = nullptr;
  for (const WorkerRecord& worker : all()) {
    if (!MayTry(worker, job)) continue;
    if (least == nullptr ||
        worker.device.memory_limit_bytes < least->device.memory_limit_bytes) {
      least = &worker;
    }
  }
  return least == nullptr ? all().front().device : least->device;
}

int64_t Roster::LeastMemory() const {
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const WorkerRecord& worker : all()) {
    least = std::min(least, worker.device.memory_limit_bytes);
  }
  return least;
}

bool Roster::IsPoisonous(const Job& job) const {
  return job.crashes_in_a_row >= options_->poison_crashes &&
         (job.crashed_on.size() >= 2 || !HasUntriedDevice(job));
}

void Roster::Started(WorkerId id, const journal::v1::WorkerProcess& process) {
  WorkerRecord& worker = At(id);
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
  worker.kept_log_sequence = 0;
  worker.acknowledged.clear();
  worker.sent = {};
  worker.status.Clear();
  worker.cached.clear();
}

void Roster::Restore(WorkerId id, const journal::v1::WorkerProcess& process,
                     absl::Time lease_until) {
  WorkerRecord& worker = At(id);
  worker.pid = process.pid();
  worker.session = process.session();
  worker.blameless = true;
  worker.has_called = true;
  worker.lease_until = lease_until;
}

bool Roster::TakeAttendance(WorkerRecord& worker,
                            const wv1::WorkerReport& report, absl::Time now) {
  // Its process is dead or not announced yet; the next report says all again.
  if (worker.pid == 0 || report.session() != worker.session ||
      report.sequence() <= worker.report_sequence) {
    return false;
  }
  worker.report_sequence = report.sequence();
  worker.lease_until = now + options_->silence;
  if (!worker.ready()) {
    worker.state = v1::WORKER_STATE_READY;
    worker.absent = false;
    worker.missing_since = absl::InfiniteFuture();
    worker.attached_at = now;
    worker.status_when_attached = report.device();
    worker.lanes.Clear();
    worker.must_send = true;
    worker.contexts.Forget();
    worker.blameless = false;
    worker.has_called = true;
    worker.trouble.clear();
    TellWhyDevicesAreNotFree();
  }
  worker.task_format = report.task_format();
  TakeStatus(report.device(), worker);
  worker.lanes.Add(now, report.device());
  worker.contexts.Reported(report.contexts());
  return true;
}

void Roster::StreamEnded(WorkerId id, absl::Time now) {
  WorkerRecord& worker = At(id);
  if (!worker.ready()) return;
  worker.state = v1::WORKER_STATE_STARTING;
  worker.missing_since = now;
  worker.lease_until = now + options_->lease;
}

void Roster::Died(WorkerRecord& worker, absl::string_view how, absl::Time now) {
  journal_->WorkerEnded(worker.id);
  worker.state = v1::WORKER_STATE_RESTARTING;
  worker.lease_until = absl::InfiniteFuture();
  worker.pid = 0;
  worker.missing_since = std::min(worker.missing_since, now);
  ++worker.restarts;
  if (!worker.has_called) {
    worker.trouble = absl::StrCat("cannot start: ", how);
    TellWhyDevicesAreNotFree();
  }
}

void Roster::Refuse(WorkerRecord& worker, const absl::Status& why,
                    absl::Time now) {
  worker.contradicted_itself = true;
  const std::string reason = absl::StrCat(
      "worker ", worker.device.name, " contradicts itself: ", why.message());
  for (const auto& [job_id, task_id] : worker.hand) {
    book_->Log(book_->At(job_id), "W",
               absl::StrCat(reason, "; it is started again"), now);
  }
  StartAgain(worker, reason, now);
}

void Roster::Replace(WorkerRecord& worker, absl::Time now) {
  StartAgain(worker,
             absl::StrCat("worker ", worker.device.name,
                          " is of an earlier version than hydrad"),
             now);
}

// What it holds goes elsewhere once it is dead. No job is to blame.
void Roster::StartAgain(WorkerRecord& worker, std::string reason,
                        absl::Time now) {
  worker.session.clear();
  worker.blameless = true;
  worker.state = v1::WORKER_STATE_STARTING;
  worker.missing_since = now;
  worker.lease_until = absl::InfiniteFuture();
  actions_->push_back(WorkerKill{worker.id, std::move(reason)});
}

void Roster::NoteAbsence(WorkerRecord& worker, absl::Time now) {
  if (worker.absent || worker.ready() ||
      now - worker.missing_since < options_->absence) {
    return;
  }
  worker.absent = true;
  // Jobs may have waited for it.
  queue_->Wake(JobQueue::kPilotWait);
}

void Roster::CheckLease(WorkerRecord& worker, bool stood_still,
                        absl::Time now) {
  if (stood_still && worker.lease_until < now + options_->lease) {
    worker.lease_until = now + options_->lease;
  }
  if (worker.pid != 0 && !worker.ready() &&
      worker.lease_until == absl::InfiniteFuture()) {
    worker.lease_until = now + options_->start_patience;
  }
  if (now < worker.lease_until) return;
  worker.lease_until = absl::InfiniteFuture();
  worker.blameless = true;
  // It is not listened to any more, should it speak before it is dead.
  worker.session.clear();
  actions_->push_back(WorkerKill{worker.id, "it was silent for too long"});
}

void Roster::Tick(absl::Time now) {
  const bool stood_still = now - last_tick_ > kLongTick;
  last_tick_ = now;
  for (WorkerRecord& worker : all()) {
    CheckLease(worker, stood_still, now);
    NoteAbsence(worker, now);
    if (worker.quarantined_until.has_value() &&
        now >= *worker.quarantined_until) {
      EndQuarantine(worker);
    }
  }
}

void Roster::Blame(WorkerRecord& worker, const Job& job, absl::string_view how,
                   absl::Time now) {
  // The last device is needed, whatever it is like.
  const bool another =
      std::any_of(all().begin(), all().end(), [&](const WorkerRecord& other) {
        return other.id != worker.id && other.usable();
      });
  if (another && IsDeviceToBlame(worker.deaths, job.crashes_in_a_row)) {
    Quarantine(worker, job, how, now);
  }
}

void Roster::AcquitDevices(JobId job) {
  for (WorkerRecord& worker : all()) {
    std::vector<JobId>& deaths = worker.deaths;
    deaths.erase(std::remove(deaths.begin(), deaths.end(), job), deaths.end());
    if (worker.quarantined_until.has_value() && deaths.size() < 2) {
      worker.quarantines = 0;
      EndQuarantine(worker);
    }
  }
}

void Roster::Quarantine(WorkerRecord& worker, const Job& job,
                        absl::string_view how, absl::Time now) {
  const absl::Duration time =
      QuarantineTime(options_->quarantine, ++worker.quarantines);
  worker.quarantined_until = now + time;
  queue_->Wake(JobQueue::kPilotWait);
  worker.quarantine_reason = absl::StrCat(
      "its process died ", worker.deaths.size(),
      " times without finishing a task between, of more than one job's, the "
      "last time of ",
      JobName(job.id), "'s (", how, "); it gets no task for ",
      absl::FormatDuration(time));
  book_->Log(job, "W",
             absl::StrCat("worker ", worker.device.name,
                          " is in quarantine: ", worker.quarantine_reason),
             now);
}

void Roster::EndQuarantine(WorkerRecord& worker) {
  worker.quarantined_until.reset();
  worker.quarantine_reason.clear();
  queue_->Wake(JobQueue::kPilotWait);
}

void Roster::SetDrained(WorkerRecord& worker,
                        std::optional<std::string> reason) {
  worker.drained = std::move(reason);
  // Another device may be the one for pilots.
  queue_->Wake(JobQueue::kPilotWait);
  TellWhyDevicesAreNotFree();
}

void Roster::SetMaintenance(std::optional<std::string> reason) {
  maintenance_ = std::move(reason);
  TellWhyDevicesAreNotFree();
}

std::string Roster::DrainedDevices() const {
  std::string text;
  for (const WorkerRecord& worker : all()) {
    if (!worker.drained.has_value()) continue;
    absl::StrAppend(&text, "; ", worker.device.name, " is drained",
                    ReasonAfterColon(*worker.drained));
  }
  return text;
}

// The jobs in the queue say it. While one worker is ready, they just wait.
void Roster::TellWhyDevicesAreNotFree() {
  std::string reason = JobQueue::kWaitsForADevice;
  if (maintenance_.has_value()) {
    reason = absl::StrCat("waits for the end of the server's maintenance",
                          ReasonAfterColon(*maintenance_));
  } else if (std::all_of(all().begin(), all().end(), [](const auto& worker) {
               return worker.drained.has_value();
             })) {
    absl::StrAppend(&reason, DrainedDevices());
  } else if (std::all_of(all().begin(), all().end(), [](const auto& worker) {
               return !worker.ready() && !worker.trouble.empty();
             })) {
    absl::StrAppend(&reason, ", and none can start; ",
                    all().front().device.name, " ", all().front().trouble);
  }
  queue_->SayOfDevices(std::move(reason));
}

std::vector<v1::WorkerStatus> Roster::Statuses(absl::Time now) const {
  std::vector<v1::WorkerStatus> statuses;
  for (const WorkerRecord& worker : all()) {
    v1::WorkerStatus status;
    status.set_device(worker.device.name);
    status.set_state(worker.quarantined_until.has_value()
                         ? v1::WORKER_STATE_QUARANTINED
                         : worker.state);
    status.set_reason(worker.trouble.empty() ? worker.quarantine_reason
                                             : worker.trouble);
    status.set_draining(IsDraining(worker));
    if (IsDraining(worker)) {
      // Of both, what concerns this device alone stays when the other one ends.
      status.set_drain_reason(worker.drained.has_value() &&
                                      !worker.drained->empty()
                                  ? *worker.drained
                                  : maintenance_.value_or(""));
    }
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
      FillLanes(worker.lanes.Now(), status);
      if (worker.status.has_gpu()) *status.mutable_gpu() = worker.status.gpu();
    }
    for (const auto& [job_id, task_id] : worker.hand) {
      for (const OutstandingTask& task : book_->At(job_id).outstanding) {
        if (task.id != task_id || !task.begun) continue;
        status.set_task_job_id(JobName(job_id));
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

}  // namespace hydra
