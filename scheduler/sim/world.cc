#include "scheduler/sim/world.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// Whoever needs longer for a test's few jobs will never be done.
constexpr absl::Duration kLongest = absl::Hours(24);

// Hands each of the daemon's actions to the part of the world that it is for.
struct Deliver {
  void operator()(const WorkerMessage& message) { workers.Receive(message); }
  void operator()(const WorkerKill& kill) { workers.Receive(kill); }
  void operator()(const SaveRequest& request) { writers.Write(request); }
  void operator()(const CheckpointRequest& request) { writers.Write(request); }
  void operator()(const CheckpointRemoval& removal) { writers.Remove(removal); }
  void operator()(const LogRemoval&) {}
  void operator()(const FoundPartition&) {}
  void operator()(const LineForJob& line) { writers.Keep(line); }
  void operator()(const DroppedLines&) {}
  void operator()(const LogLinesTaken&) {}
  void operator()(const TaskTrace&) {}
  void operator()(const DecisionTrace&) {}

  WorkerProcesses& workers;
  SimWriters& writers;
};

}  // namespace

World::World(const Options& options)
    : machine_(options),
      committed_(options.seed),
      daemon_(&machine_, Callbacks()),
      writers_(&machine_, &daemon_),
      user_(&machine_, &daemon_),
      workers_(&machine_, &daemon_, [this] { user_.Meddle(); }) {
  daemon_.Start();
}

DaemonProcess::Callbacks World::Callbacks() {
  DaemonProcess::Callbacks callbacks;
  callbacks.carry_out = [this](const Action& action) {
    std::visit(Deliver{workers_, writers_}, action);
  };
  callbacks.is_alive = [this](WorkerId worker, const std::string& session) {
    return workers_.IsAlive(worker, session);
  };
  callbacks.begun = [this] {
    committed_.Check(daemon_.core().jobs());
    user_.CheckAcknowledged();
    workers_.DaemonBegan();
  };
  callbacks.committed = [this] { committed_.Note(daemon_.core().jobs()); };
  callbacks.died = [this] { workers_.DaemonDied(); };
  callbacks.power_fails = [this] { CutPower(); };
  return callbacks;
}

void World::CrashEarlierDaemon() {
  daemon_.Crash();
  RecordEachBlock(machine_.disk);
}

void World::CutPower() {
  workers_.KillAll();
  daemon_.Crash();
  machine_.pool.clear();
  machine_.disk.pool = {};
  committed_.NotePoolLost();
}

void World::MakeCheckpointsReadable(bool readable) {
  for (auto& [path, checkpoint] : machine_.disk.checkpoints) {
    checkpoint.unreadable = !readable;
  }
}

void World::Submit(int jobs, int64_t steps) {
  const size_t request = user_.Submit(jobs, steps);
  RunUntil([&] { return user_.IsAcknowledged(request); });
}

void World::Submit(std::vector<NewJob> jobs) {
  const size_t request = user_.Submit(std::move(jobs));
  RunUntil([&] { return user_.IsAcknowledged(request); });
}

void World::Submit(std::vector<NewJob> jobs, const Caller& user) {
  const size_t request = user_.Submit(std::move(jobs), user);
  RunUntil([&] { return user_.IsAcknowledged(request); });
}

void World::RunUntil(const std::function<bool()>& done) {
  Agenda& agenda = machine_.agenda;
  const absl::Time deadline = now() + kLongest;
  while (!daemon_.is_up() || !done()) {
    CHECK_GT(agenda.planned(), 0);
    CHECK(agenda.next() < deadline)
        << "seed " << machine_.options.seed << ": nothing goes on any more at "
        << agenda.next() << ", " << agenda.planned() << " events planned\n"
        << Describe();
    agenda.RunNext();
  }
}

void World::RunUntilJobsEnd() {
  RunUntil([this] { return AllJobsEnded(); });
}

std::string World::Describe() const {
  if (!daemon_.is_up()) return "the daemon is down";
  std::string text;
  for (const auto& [id, job] : daemon_.core().jobs().all()) {
    absl::StrAppend(&text, StatusOf(job).ShortDebugString(), " outstanding ",
                    job.outstanding.size(), "\n");
  }
  for (const v1::WorkerStatus& worker : daemon_.core().Workers(now())) {
    absl::StrAppend(&text, worker.ShortDebugString(), "\n");
  }
  return text;
}

}  // namespace hydra
