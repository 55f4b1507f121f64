#ifndef HYDRA_SCHEDULER_DAEMON_CORE_PARTS_H_
#define HYDRA_SCHEDULER_DAEMON_CORE_PARTS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "scheduler/core/core.h"
#include "scheduler/core/effect_buffer.h"
#include "scheduler/daemon/daemon_state.h"
#include "scheduler/daemon/state_directory.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {

// The core, and what it decides by and writes into. The core uses the others,
// so it ends first. Movable; not thread-safe.
struct CoreParts {
  std::unique_ptr<ShardedLrtf> policy;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<EffectBuffer> effects;
  std::unique_ptr<Core> core;
};

// A core that goes on where an earlier daemon was. If what the pool's journal
// says contradicts itself, `state` gets a new pool, and the jobs begin again
// from their checkpoints.
//
// DATA_LOSS: a job of jobs.db cannot be understood; the pool is kept.
// Others: as StartWithNewPool.
absl::StatusOr<CoreParts> RestoreCore(const StateDirectory& directory,
                                      DaemonState& state);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_CORE_PARTS_H_
