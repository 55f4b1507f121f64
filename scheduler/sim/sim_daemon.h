#ifndef HYDRA_SCHEDULER_SIM_SIM_DAEMON_H_
#define HYDRA_SCHEDULER_SIM_SIM_DAEMON_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/core.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/sim/sim_disk.h"

namespace hydra {

// hydrad without threads, sockets and files: the core, its journal, and turns
// that end as the real ones do. Not thread-safe.
class SimDaemon {
 public:
  // Where a turn is cut off, as by a kill -9.
  enum class Crash { kNone, kBeforeCommit, kAfterCommit };

  // Starts on what is on the disk. `is_alive` tells of a recorded worker
  // process whether it still runs; `carry_out` does what the core wants
  // done, from Begin() on.
  SimDaemon(Core::Options options, SimDisk* disk,
            std::function<void(const Action&)> carry_out,
            const std::function<bool(WorkerId, const std::string&)>& is_alive,
            absl::Time now);
  // The first turn ends.
  void Begin(absl::Time now);

  Core& core() { return *core_; }
  const Core& core() const { return *core_; }
  // The secret of the process that this daemon knows; empty: none.
  const std::string& session(WorkerId worker) { return sessions_[worker]; }
  void Expect(WorkerId worker, const std::string& session) {
    sessions_[worker] = session;
  }

  // False: it was cut off, and this object is of no more use.
  bool Turn(const std::function<void(Core&)>& event, absl::Time now,
            Crash crash);

  // What is on its way to the disk arrives.
  bool has_unwritten() const { return !unwritten_.empty(); }
  bool WriteJobs(absl::Time now, Crash crash);

 private:
  SimDisk* const disk_;
  const std::function<void(const Action&)> carry_out_;
  ShardedLrtf policy_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Core> core_;
  std::deque<Journal::Entry> unwritten_;
  absl::flat_hash_map<WorkerId, std::string> sessions_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_DAEMON_H_
