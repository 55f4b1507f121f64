#ifndef HYDRA_SCHEDULER_CORE_TESTING_WORLD_JOBS_H_
#define HYDRA_SCHEDULER_CORE_TESTING_WORLD_JOBS_H_

#include <cstdint>

#include "scheduler/core/job.h"
#include "scheduler/sim/world.h"

namespace hydra {

// What tests of the core in a simulated world ask of it.

inline const Job& JobIn(World& world, uint64_t id) {
  return *world.core().jobs().Find(JobId(id));
}

// The job is inside its training, and a worker has a task of it.
inline bool Training(const Job& job) {
  return job.phase() == hydra::v1::JOB_PHASE_TRAIN && !job.outstanding.empty();
}

// Of all workers' processes.
inline int Restarts(World& world) {
  int restarts = 0;
  for (const auto& worker : world.core().Workers(world.now())) {
    restarts += worker.restarts();
  }
  return restarts;
}

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TESTING_WORLD_JOBS_H_
