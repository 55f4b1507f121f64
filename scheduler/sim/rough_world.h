#ifndef HYDRA_SCHEDULER_SIM_ROUGH_WORLD_H_
#define HYDRA_SCHEDULER_SIM_ROUGH_WORLD_H_

#include <cstdint>

#include "scheduler/sim/world.h"

namespace hydra {

// A world in which everything that can break does, a little of each. The seed
// chooses its size too.
inline World::Options RoughWorld(uint64_t seed) {
  World::Options options;
  options.seed = seed;
  options.workers = 1 + seed % 4;
  options.lookahead = seed % 3;
  options.devices_have_own_memory = seed % 5 > 1;
  options.crash = 0.03;
  options.stream_break = 0.05;
  options.stop = 0.01;
  options.hang = 0.005;
  options.written_later = 0.3;
  options.long_task = 0.005;
  options.duplicate = 0.2;
  options.daemon_crash = 0.005;
  options.checkpoint_failure = 0.1;
  // Room for one to all of the jobs.
  options.pool_bytes = (int64_t{300} << 10) << (seed % 4);
  return options;
}

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_ROUGH_WORLD_H_
