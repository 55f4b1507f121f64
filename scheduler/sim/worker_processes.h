#ifndef HYDRA_SCHEDULER_SIM_WORKER_PROCESSES_H_
#define HYDRA_SCHEDULER_SIM_WORKER_PROCESSES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/actions.h"
#include "scheduler/sim/daemon_process.h"
#include "scheduler/sim/sim_lanes.h"
#include "scheduler/sim/sim_machine.h"
#include "scheduler/sim/sim_worker.h"

namespace hydra {

// The simulated worker processes and their streams to the daemon. They compute,
// get messages late, twice or not at all, stand still, die and are started
// again. Checks that no place of a chain runs twice at once. Workers count from
// 0. Not thread-safe.
class WorkerProcesses {
 public:
  // What is given must outlive this. `task_done` is called behind each task
  // that came to an end by itself.
  WorkerProcesses(SimMachine* machine, DaemonProcess* daemon,
                  std::function<void()> task_done);

  // --- What the daemon does ---

  void Receive(const WorkerMessage& message);
  void Receive(const WorkerKill& kill);
  // A daemon is up: those that it does not know are refused and end, and new
  // ones are started.
  void DaemonBegan();
  // Their streams are broken; they attach again when they can.
  void DaemonDied();
  // Whether the worker's process with this secret runs.
  bool IsAlive(WorkerId worker, const std::string& session) const;

  // --- What happens to them ---

  // Kills a process now.
  void Crash(int worker);
  // Kills it, and it is not started again.
  void Remove(int worker);
  // All at once, with the power.
  void KillAll();
  // The process stands still.
  void Stop(int worker, absl::Duration time);

  // Wall time that the worker computed.
  absl::Duration busy(int worker) const { return processes_[worker].busy; }
  // Bytes between host and devices; 0 without SimSetup::lanes.
  int64_t moved_bytes() const;
  // The secret that its process attached with.
  const std::string& session(int worker) const {
    return processes_[worker].session;
  }

 private:
  struct Process {
    std::unique_ptr<SimWorker> worker;
    // Rises with every process; events of older ones are ignored.
    int generation = 0;
    bool alive = false;
    bool stopped = false;
    bool stream_open = false;
    bool removed = false;
    std::string session;
    absl::Duration busy;
    // If tasks take what they compute and copy.
    std::optional<SimLanes> lanes;
    // When the process learned of a task.
    std::map<uint64_t, absl::Time> known;
    // Of the task that computes: for what it reads.
    absl::Duration wait_time;
    // From the end of its computing, until what the task made is written.
    absl::Duration write_time;
  };
  // A place in a job's chain.
  using Place = std::tuple<uint64_t, int, int64_t, int, int>;
  static Place PlaceOf(const worker::v1::Task& task);

  // Nothing happens if the process of now is gone by then.
  void At(int worker, absl::Duration delay,
          std::function<void(Process&)> event);
  int count() const { return static_cast<int>(processes_.size()); }

  void Start(int worker);
  void Heartbeat(int worker);
  void Attach(int worker);
  void Report(int worker);
  void BreakStream(int worker);
  void Kill(int worker);

  void Compute(int worker);
  // How long the process computes its task.
  absl::Duration DurationOf(Process& process);
  // Nothing happens unless the task computes.
  void TaskDone(int worker, uint64_t task, absl::Duration duration);
  // Ends the computing task.
  void End(int worker, const absl::Status& failure, absl::Duration duration);

  SimMachine* const machine_;
  DaemonProcess* const daemon_;
  const std::function<void()> task_done_;
  std::vector<Process> processes_;
  std::set<Place> running_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_WORKER_PROCESSES_H_
