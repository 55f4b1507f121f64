#ifndef HYDRA_SCHEDULER_DAEMON_RESTORED_CORE_H_
#define HYDRA_SCHEDULER_DAEMON_RESTORED_CORE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "scheduler/core/core.h"
#include "scheduler/daemon/daemon_state.h"
#include "scheduler/daemon/state_directory.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/policy.h"

namespace hydra {

// The core, and what it decides by and writes into. The core uses the others,
// so it ends first. Movable; not thread-safe.
struct RestoredCore {
  std::unique_ptr<Policy> policy;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Core> core;
};

// A core that goes on where an earlier daemon was. If what the pool's journal
// says contradicts itself, `state` gets a new pool, and the jobs begin again
// from their checkpoints.
//
// INVALID_ARGUMENT: there is no such policy, or no such user.
// DATA_LOSS: a job of jobs.db cannot be understood; the pool is kept.
// Others: as StartWithNewPool.
absl::StatusOr<RestoredCore> RestoreCore(const StateDirectory& directory,
                                      DaemonState& state);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_RESTORED_CORE_H_
