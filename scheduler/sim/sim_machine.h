#ifndef HYDRA_SCHEDULER_SIM_SIM_MACHINE_H_
#define HYDRA_SCHEDULER_SIM_SIM_MACHINE_H_

#include "scheduler/sim/agenda.h"
#include "scheduler/sim/sim_disk.h"
#include "scheduler/sim/sim_pool.h"
#include "scheduler/sim/sim_random.h"
#include "scheduler/sim/sim_setup.h"
#include "scheduler/sim/world_options.h"

namespace hydra {

// What the parts of a simulated world have in common: time, chance, and what
// outlasts the processes.
struct SimMachine {
  explicit SimMachine(const WorldOptions& world_options)
      : options(world_options), random(world_options.seed) {}

  const WorldOptions options;
  Agenda agenda;
  SimRandom random;
  SimSetup setup;
  SimDisk disk;
  // Lost with the power.
  SimPool pool;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_MACHINE_H_
