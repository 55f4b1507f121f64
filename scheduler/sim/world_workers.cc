// The part of World that plays the worker processes and their streams.

#include <memory>

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/sim/delays.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

}  // namespace

void World::Remove(int worker) {
  workers_[worker].removed = true;
  Crash(worker);
}

void World::Start(int worker) {
  SimProcess& process = workers_[worker];
  if (process.removed) return;
  ++process.generation;
  process.worker =
      std::make_unique<SimWorker>(&pool_, &disk_.checkpoints, &setup_);
  process.alive = true;
  process.stopped = false;
  process.session = absl::StrCat("session-", worker, "-", process.generation);
  daemon_->Expect(WorkerId(worker + 1), process.session);
  journal::v1::WorkerProcess record;
  record.set_pid(1000 + worker);
  record.set_session(process.session);
  process.stream_open = true;
  InCore([&](Core& core) { core.WorkerStarted(WorkerId(worker + 1), record); });
  Report(worker);
  Heartbeat(worker);
}

void World::Heartbeat(int worker) {
  AtWorker(worker, kSecond, [=](SimProcess&) {
    Report(worker);
    Heartbeat(worker);
  });
}

void World::Attach(int worker) {
  AtWorker(
      worker, kMessageTime + Delay(kReconnectTime), [=](SimProcess& process) {
        if (daemon_ == nullptr || process.stopped) {
          Attach(worker);
        } else if (daemon_->session(WorkerId(worker + 1)) == process.session) {
          process.stream_open = true;
          Compute(worker);
          Report(worker);
        }
      });
}

void World::Report(int worker) {
  if (!workers_[worker].stream_open || workers_[worker].stopped) return;
  wv1::WorkerReport report = workers_[worker].worker->Report(now_);
  report.set_session(workers_[worker].session);
  *report.mutable_device()->mutable_busy() = ToProto(workers_[worker].busy);
  const int copies = Chance(options_.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    AtWorker(worker, Delay(kMessageTime), [=](SimProcess& process) {
      if (!process.stream_open) return;
      InCore([&](Core& core) {
        core.WorkerReported(WorkerId(worker + 1), report, now_);
      });
    });
  }
}

void World::Do(const WorkerMessage& message) {
  const int worker = static_cast<int>(message.worker.value()) - 1;
  const int copies = Chance(options_.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    AtWorker(worker, Delay(kMessageTime),
             [=, desired = message.desired](SimProcess& process) {
               if (!process.stream_open || process.stopped) return;
               process.worker->Apply(desired);
               if (process.worker->ShouldStop()) {
                 End(worker, absl::AbortedError("told to stop"),
                     absl::ZeroDuration());
               }
               Compute(worker);
               Report(worker);
             });
  }
}

void World::Compute(int worker) {
  SimProcess& process = workers_[worker];
  // Without a daemon it parks.
  if (!process.stream_open || process.stopped || process.worker->computing() ||
      !process.worker->Begin(now_).has_value()) {
    return;
  }
  const wv1::Task& task = process.worker->task();
  CHECK(running_
            .insert({task.job_id(), task.kind(), task.step(), task.shard(),
                     task.first_micro_batch()})
            .second)
      << "a " << wv1::TaskKind_Name(task.kind()) << " of "
      << JobName(JobId(task.job_id())) << " runs twice at once";
  if (Chance(options_.hang)) {
    process.worker->Hang();
    return;
  }
  absl::Duration duration =
      Chance(options_.long_task) ? kLongTaskTime : Delay(kTaskTime);
  const auto given = setup_.task_time.find(task.job_id());
  if (given != setup_.task_time.end()) duration = given->second;
  const uint64_t id = task.task_id();
  AtWorker(worker, duration,
           [=](SimProcess&) { TaskDone(worker, id, duration); });
}

void World::TaskDone(int worker, uint64_t id, absl::Duration duration) {
  SimProcess& process = workers_[worker];
  if (!process.worker->computing() || process.worker->task().task_id() != id) {
    return;
  }
  if (process.stopped) {
    AtWorker(worker, kSecond,
             [=](SimProcess&) { TaskDone(worker, id, duration); });
    return;
  }
  const wv1::Task& task = process.worker->task();
  if (Chance(options_.crash) || setup_.bad_device == worker ||
      setup_.bad_job == task.job_id()) {
    Crash(worker);
    return;
  }
  absl::Status failure;
  if (Chance(options_.task_failure)) failure = absl::InternalError("");
  if (Chance(options_.data_failure)) failure = absl::InvalidArgumentError("");
  End(worker, failure, duration);
  Compute(worker);
  Report(worker);
  if (Chance(options_.stream_break)) BreakStream(worker);
  if (Chance(options_.stop)) StopProcess(worker, Delay(absl::Seconds(6)));
  if (Chance(options_.meddling)) Meddle();
}

void World::End(int worker, const absl::Status& failure,
                absl::Duration duration) {
  SimProcess& process = workers_[worker];
  const wv1::Task& task = process.worker->task();
  running_.erase({task.job_id(), task.kind(), task.step(), task.shard(),
                  task.first_micro_batch()});
  process.busy += duration;
  process.worker->Finish(failure, Chance(options_.nonfinite));
}

// Messages on their way are lost; the worker attaches again.
void World::BreakStream(int worker) {
  if (!workers_[worker].stream_open) return;
  workers_[worker].stream_open = false;
  InCore(
      [&](Core& core) { core.WorkerStreamEnded(WorkerId(worker + 1), now_); });
  Attach(worker);
}

void World::StopProcess(int worker, absl::Duration time) {
  workers_[worker].stopped = true;
  AtWorker(worker, time, [=](SimProcess& process) {
    process.stopped = false;
    Compute(worker);
    Report(worker);
  });
}

// The process is gone, with half of what it was writing written.
void World::Kill(int worker) {
  SimProcess& process = workers_[worker];
  if (!process.alive) return;
  ++process.generation;
  process.alive = false;
  process.stream_open = false;
  if (!process.worker->computing()) return;
  const wv1::Task& task = process.worker->task();
  running_.erase({task.job_id(), task.kind(), task.step(), task.shard(),
                  task.first_micro_batch()});
  for (const wv1::BlockVersion& write : task.writes()) {
    if (Chance(0.5)) pool_[write.offset_bytes()] = {};
  }
}

void World::Crash(int worker) {
  const bool was_attached = workers_[worker].stream_open;
  Kill(worker);
  if (was_attached) {
    InCore([&](Core& core) {
      core.WorkerStreamEnded(WorkerId(worker + 1), now_);
    });
  }
  // A daemon that starts meanwhile sees for itself that it is gone.
  AtDaemon(Delay(kRestartTime), [=] {
    InCore([&](Core& core) {
      core.WorkerDied(WorkerId(worker + 1), "killed by the test", now_);
    });
    AtDaemon(Delay(kRestartTime), [=] { Start(worker); });
  });
}

void World::Do(const WorkerKill& kill) {
  const int index = static_cast<int>(kill.worker.value()) - 1;
  AtWorker(index, absl::ZeroDuration(), [=](SimProcess&) { Crash(index); });
}

}  // namespace hydra
