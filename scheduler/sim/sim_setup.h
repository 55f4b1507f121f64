#ifndef HYDRA_SCHEDULER_SIM_SIM_SETUP_H_
#define HYDRA_SCHEDULER_SIM_SIM_SETUP_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "scheduler/sim/sim_lanes.h"

namespace hydra {

// What simulated workers find in the world beside the pool.
struct SimSetup {
  // A pilot finds that so many layers fit the device together. Contents follow
  // from the partition: only worlds with one job may change it.
  int layers_per_shard = 1;
  // What a preparation makes of the text files.
  std::string token_file = "/cache/one.tokens";
  int64_t token_count = 200;
  // A device has room for so many layers of a shard at most, whatever a pilot
  // found that left nothing free. 0: for all.
  int layers_in_device = 0;
  // A begun task that nobody wants is broken off.
  bool stops_when_told = true;
  // The worker, if any, whose every task ends its process.
  int bad_device = -1;
  // The job, if any, whose every task ends its worker's process.
  uint64_t bad_job = 0;
  // By job, how long each of its tasks takes. Of others it is up to kTaskTime.
  std::map<uint64_t, absl::Duration> task_time;
  // Of devices whose tasks take what they compute and copy. None: see above.
  std::optional<LaneTimes> lanes;
  // Preparations find no data to evaluate on.
  bool trains_only = false;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_SETUP_H_
