#ifndef HYDRA_SCHEDULER_SIM_WORLD_H_
#define HYDRA_SCHEDULER_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/caller.h"
#include "scheduler/core/core.h"
#include "scheduler/sim/committed_places.h"
#include "scheduler/sim/daemon_process.h"
#include "scheduler/sim/sim_machine.h"
#include "scheduler/sim/sim_user.h"
#include "scheduler/sim/sim_writers.h"
#include "scheduler/sim/worker_processes.h"
#include "scheduler/sim/world_options.h"

namespace hydra {

// A whole simulated machine: the scheduler's core with its journals under a
// virtual clock, workers, a network whose messages take random times, come
// twice or get lost with their stream, and a user. Daemon and workers die,
// stand still and come back; the power fails. One seed, one course of events.
// This is the door to its parts, and puts them together.
//
// After every event the core's invariants are checked; every simulated task
// checks what it reads; no place of a chain runs twice at once; what is
// committed stays committed; a trained model and its losses are what
// undisturbed training makes; and whatever happened, all comes to an end. A
// violation ends the program. Not thread-safe.
class World {
 public:
  using Options = WorldOptions;

  explicit World(const Options& options);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // The daemon must be up.
  Core& core() { return daemon_.core(); }
  bool daemon_is_up() const { return daemon_.is_up(); }
  absl::Time now() const { return machine_.agenda.now(); }
  // May be changed at any time.
  SimSetup& setup() { return machine_.setup; }

  // The user submits a sweep of small jobs of `steps` steps each, again and
  // again until it is acknowledged; returns then.
  void Submit(int jobs, int64_t steps);

  // The same of any jobs. Those of as many steps must be of one model and cut
  // alike.
  void Submit(std::vector<NewJob> jobs);
  // The same of jobs of such a user.
  void Submit(std::vector<NewJob> jobs, const Caller& user);

  // Runs events until `done`, which is asked only while the daemon is up.
  void RunUntil(const std::function<bool()>& done);
  void RunUntilJobsEnd();
  bool AllJobsEnded() const { return user_.AllJobsEnded(); }
  // One turn of the core.
  void InCore(const std::function<void(Core&)>& action) {
    daemon_.InCore(action);
  }

  // From now on jobs may be gone, since they are deleted in the core.
  void ExpectDeletions() { user_.ExpectDeletions(); }

  // Kills a process now.
  void Crash(int worker) { workers_.Crash(worker); }
  // Kills it, and it is not started again.
  void Remove(int worker) { workers_.Remove(worker); }
  // The process stands still.
  void StopProcess(int worker, absl::Duration time) {
    workers_.Stop(worker, time);
  }
  void CrashDaemon() { daemon_.Crash(); }
  // The daemon dies, and was an earlier one, with a record for each block.
  void CrashEarlierDaemon();
  // Everything that is not on the disk is gone.
  void CutPower();
  // The checkpoints on the disk can or cannot be read.
  void MakeCheckpointsReadable(bool readable);

  // --- What happened ---

  int64_t events() const { return machine_.agenda.events(); }
  int64_t saves() const { return writers_.models(); }
  int64_t daemon_starts() const { return daemon_.starts(); }
  // By steps of the job: what stands for its trained model.
  const std::map<int64_t, uint64_t>& trained() const {
    return writers_.check().trained();
  }
  int64_t checkpoints_written() const { return writers_.checkpoints(); }
  // The first hundred lines of a job's log that the daemon wrote itself.
  const std::vector<std::string>& LogOf(JobId job) {
    return writers_.LinesOf(job);
  }
  // Wall time that each worker computed.
  absl::Duration busy(int worker) const { return workers_.busy(worker); }
  // Bytes between host and devices; 0 without SimSetup::lanes.
  int64_t moved_bytes() const { return workers_.moved_bytes(); }
  // The secret that its process attached with.
  const std::string& session(int worker) const {
    return workers_.session(worker);
  }

 private:
  // What the daemon's process calls.
  DaemonProcess::Callbacks Callbacks();

  // For whoever looks why nothing goes on.
  std::string Describe() const;

  SimMachine machine_;
  CommittedPlaces committed_;
  DaemonProcess daemon_;
  SimWriters writers_;
  SimUser user_;
  WorkerProcesses workers_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_WORLD_H_
