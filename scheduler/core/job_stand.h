#ifndef HYDRA_SCHEDULER_CORE_JOB_STAND_H_
#define HYDRA_SCHEDULER_CORE_JOB_STAND_H_

#include <optional>

#include "scheduler/core/job.h"

namespace hydra {

// Where a job stands: what its state, phase, intent and outstanding tasks mean
// together. Drawn in docs/design.md, section 5. Pure.
enum class Stand {
  // PENDING: in the queue, or waiting for something.
  kWaits,
  // RUNNING: tasks of it are out, or will be again.
  kRuns,
  // RUNNING or PENDING, and shall pause.
  kPauses,
  // RUNNING or PENDING, and shall go back to its newest checkpoint.
  kGoesBack,
  // Its trained model is being written.
  kSaves,
  kPaused,
  // Its end is decided; tasks of it are still out, or its model is still being
  // written.
  kEnds,
  kEnded,
};

// None: such a job cannot be.
std::optional<Stand> StandOf(const Job& job);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_JOB_STAND_H_
