#include "scheduler/sim/worker_processes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/job.h"
#include "scheduler/sim/delays.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

WorkerId IdOf(int worker) { return WorkerId(worker + 1); }
int IndexOf(WorkerId worker) { return static_cast<int>(worker.value()) - 1; }

}  // namespace

WorkerProcesses::WorkerProcesses(SimMachine* machine, DaemonProcess* daemon,
                                 std::function<void()> task_done)
    : machine_(machine), daemon_(daemon), task_done_(std::move(task_done)) {
  processes_.resize(machine->options.workers);
}

void WorkerProcesses::At(int worker, absl::Duration delay,
                         std::function<void(Process&)> event) {
  const int generation = processes_[worker].generation;
  machine_->agenda.At(delay,
                      [this, worker, generation, event = std::move(event)] {
                        Process& process = processes_[worker];
                        if (process.generation == generation) event(process);
                      });
}

WorkerProcesses::Place WorkerProcesses::PlaceOf(const wv1::Task& task) {
  return {task.job_id(), task.kind(), task.step(), task.shard(),
          task.first_micro_batch()};
}

// --- The daemon ---

void WorkerProcesses::Receive(const WorkerMessage& message) {
  const int worker = IndexOf(message.worker);
  SimRandom& random = machine_->random;
  const int copies = random.Chance(machine_->options.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    At(worker, random.Delay(kMessageTime),
       [=, desired = message.desired](Process& process) {
         if (!process.stream_open || process.stopped) return;
         process.worker->Apply(desired);
         for (const wv1::Task& task : desired.tasks()) {
           process.known.try_emplace(task.task_id(), machine_->agenda.now());
         }
         if (process.worker->ShouldStop()) {
           End(worker, absl::AbortedError("told to stop"),
               absl::ZeroDuration());
         }
         Compute(worker);
         Report(worker);
       });
  }
}

void WorkerProcesses::Receive(const WorkerKill& kill) {
  const int worker = IndexOf(kill.worker);
  At(worker, absl::ZeroDuration(), [=](Process&) { Crash(worker); });
}

void WorkerProcesses::DaemonBegan() {
  for (int i = 0; i < count(); ++i) {
    if (!daemon_->session(IdOf(i)).empty()) continue;
    Kill(i);
    daemon_->At(machine_->random.Delay(kRestartTime), [=] { Start(i); });
  }
}

void WorkerProcesses::DaemonDied() {
  for (int i = 0; i < count(); ++i) {
    processes_[i].stream_open = false;
    if (processes_[i].alive) Attach(i);
  }
}

bool WorkerProcesses::IsAlive(WorkerId worker,
                              const std::string& session) const {
  const Process& process = processes_[IndexOf(worker)];
  return process.alive && process.session == session;
}

// --- Life and streams ---

void WorkerProcesses::Start(int worker) {
  Process& process = processes_[worker];
  if (process.removed) return;
  ++process.generation;
  process.worker = std::make_unique<SimWorker>(
      &machine_->pool, &machine_->disk.checkpoints, &machine_->setup);
  process.alive = true;
  process.stopped = false;
  process.known.clear();
  if (machine_->setup.lanes) process.lanes.emplace(*machine_->setup.lanes);
  process.session = absl::StrCat("session-", worker, "-", process.generation);
  daemon_->Expect(IdOf(worker), process.session);
  journal::v1::WorkerProcess record;
  record.set_pid(1000 + worker);
  record.set_session(process.session);
  process.stream_open = true;
  daemon_->InCore(
      [&](Core& core) { core.WorkerStarted(IdOf(worker), record); });
  Report(worker);
  Heartbeat(worker);
}

void WorkerProcesses::Heartbeat(int worker) {
  At(worker, kSecond, [=](Process&) {
    Report(worker);
    Heartbeat(worker);
  });
}

void WorkerProcesses::Attach(int worker) {
  const absl::Duration delay =
      kMessageTime + machine_->random.Delay(kReconnectTime);
  At(worker, delay, [=](Process& process) {
    if (!daemon_->is_up() || process.stopped) {
      Attach(worker);
    } else if (daemon_->session(IdOf(worker)) == process.session) {
      process.stream_open = true;
      Compute(worker);
      Report(worker);
    }
  });
}

void WorkerProcesses::Report(int worker) {
  Process& process = processes_[worker];
  if (!process.stream_open || process.stopped) return;
  SimRandom& random = machine_->random;
  wv1::WorkerReport report = process.worker->Report(machine_->agenda.now());
  report.set_session(process.session);
  *report.mutable_device()->mutable_busy() = ToProto(process.busy);
  if (process.lanes) {
    const std::vector<uint64_t> versions = process.lanes->Versions();
    report.mutable_device()->mutable_cached_versions()->Assign(versions.begin(),
                                                               versions.end());
  }
  const int copies = random.Chance(machine_->options.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    At(worker, random.Delay(kMessageTime), [=](Process& sender) {
      if (!sender.stream_open) return;
      daemon_->InCore([&](Core& core) {
        core.WorkerReported(IdOf(worker), report, machine_->agenda.now());
      });
    });
  }
}

// Messages on their way are lost; the worker attaches again.
void WorkerProcesses::BreakStream(int worker) {
  if (!processes_[worker].stream_open) return;
  processes_[worker].stream_open = false;
  daemon_->InCore([&](Core& core) {
    core.WorkerStreamEnded(IdOf(worker), machine_->agenda.now());
  });
  Attach(worker);
}

void WorkerProcesses::Stop(int worker, absl::Duration time) {
  processes_[worker].stopped = true;
  At(worker, time, [=](Process& process) {
    process.stopped = false;
    Compute(worker);
    Report(worker);
  });
}

// The process is gone, with half of what it was writing written.
void WorkerProcesses::Kill(int worker) {
  Process& process = processes_[worker];
  if (!process.alive) return;
  ++process.generation;
  process.alive = false;
  process.stream_open = false;
  if (process.worker->computing()) {
    running_.erase(PlaceOf(process.worker->task()));
  }
  for (const wv1::Task& task : process.worker->UnwrittenTasks()) {
    for (const wv1::BlockVersion& write : task.writes()) {
      if (machine_->random.Chance(0.5)) {
        machine_->pool[write.offset_bytes()] = {};
      }
    }
  }
}

void WorkerProcesses::KillAll() {
  for (int i = 0; i < count(); ++i) Kill(i);
  running_.clear();
}

void WorkerProcesses::Crash(int worker) {
  const bool was_attached = processes_[worker].stream_open;
  Kill(worker);
  if (was_attached) {
    daemon_->InCore([&](Core& core) {
      core.WorkerStreamEnded(IdOf(worker), machine_->agenda.now());
    });
  }
  // A daemon that starts meanwhile sees for itself that it is gone.
  daemon_->At(machine_->random.Delay(kRestartTime), [=] {
    daemon_->InCore([&](Core& core) {
      core.WorkerDied(IdOf(worker), "killed by the test",
                      machine_->agenda.now());
    });
    daemon_->At(machine_->random.Delay(kRestartTime), [=] { Start(worker); });
  });
}

void WorkerProcesses::Remove(int worker) {
  processes_[worker].removed = true;
  Crash(worker);
}

// --- Computing ---

int64_t WorkerProcesses::moved_bytes() const {
  int64_t bytes = 0;
  for (const Process& process : processes_) {
    if (process.lanes) bytes += process.lanes->moved_bytes();
  }
  return bytes;
}

absl::Duration WorkerProcesses::DurationOf(Process& process) {
  const wv1::Task& task = process.worker->task();
  SimRandom& random = machine_->random;
  if (process.lanes) {
    const absl::Time now = machine_->agenda.now();
    const auto known = process.known.extract(task.task_id());
    const SimLanes::Done done = process.lanes->Run(task, known.mapped(), now);
    process.wait_time = done.begun - now;
    process.write_time = done.written - done.computed;
    return done.computed - now;
  }
  const absl::Duration usual = random.Chance(machine_->options.long_task)
                                   ? kLongTaskTime
                                   : random.Delay(kTaskTime);
  const auto given = machine_->setup.task_time.find(task.job_id());
  return given == machine_->setup.task_time.end() ? usual : given->second;
}

void WorkerProcesses::Compute(int worker) {
  Process& process = processes_[worker];
  // Without a daemon it parks.
  if (!process.stream_open || process.stopped || process.worker->computing() ||
      !process.worker->Begin(machine_->agenda.now()).has_value()) {
    return;
  }
  const wv1::Task& task = process.worker->task();
  CHECK(running_.insert(PlaceOf(task)).second)
      << "a " << wv1::TaskKind_Name(task.kind()) << " of "
      << JobName(JobId(task.job_id())) << " runs twice at once";
  if (machine_->random.Chance(machine_->options.hang)) {
    process.worker->Hang();
    return;
  }
  const absl::Duration duration = DurationOf(process);
  const uint64_t id = task.task_id();
  At(worker, duration, [=](Process&) { TaskDone(worker, id, duration); });
}

void WorkerProcesses::TaskDone(int worker, uint64_t id,
                               absl::Duration duration) {
  Process& process = processes_[worker];
  if (!process.worker->computing() || process.worker->task().task_id() != id) {
    return;
  }
  if (process.stopped) {
    At(worker, kSecond, [=](Process&) { TaskDone(worker, id, duration); });
    return;
  }
  const WorldOptions& options = machine_->options;
  SimRandom& random = machine_->random;
  if (random.Chance(options.crash) || machine_->setup.bad_device == worker ||
      machine_->setup.bad_job == process.worker->task().job_id()) {
    Crash(worker);
    return;
  }
  absl::Status failure;
  if (random.Chance(options.task_failure)) failure = absl::InternalError("");
  if (random.Chance(options.data_failure)) {
    failure = absl::InvalidArgumentError("");
  }
  End(worker, failure, duration);
  Compute(worker);
  Report(worker);
  if (random.Chance(options.stream_break)) BreakStream(worker);
  if (random.Chance(options.stop)) {
    Stop(worker, random.Delay(absl::Seconds(6)));
  }
  task_done_();
}

void WorkerProcesses::End(int worker, const absl::Status& failure,
                          absl::Duration duration) {
  Process& process = processes_[worker];
  running_.erase(PlaceOf(process.worker->task()));
  process.busy += duration;
  SimRandom& random = machine_->random;
  const WorldOptions& options = machine_->options;
  const bool nonfinite = random.Chance(options.nonfinite);
  const bool written_later = process.lanes
                                 ? process.write_time > absl::ZeroDuration()
                                 : random.Chance(options.written_later);
  SimWorker::Took took;
  if (process.lanes) took = {duration, process.wait_time};
  if (process.worker->Finish(took, failure, nonfinite, written_later)) return;
  const absl::Duration write_time =
      process.lanes ? process.write_time : random.Delay(kTaskTime);
  At(worker, write_time, [=](Process& process) {
    process.worker->WriteBack();
    Report(worker);
  });
}

}  // namespace hydra
