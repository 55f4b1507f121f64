#ifndef HYDRA_SCHEDULER_SIM_SIM_DEVICE_H_
#define HYDRA_SCHEDULER_SIM_SIM_DEVICE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/sim/sim_pool.h"
#include "scheduler/sim/sim_setup.h"

namespace hydra {

// What a simulated worker computes on. It "computes" by checking that each slot
// it reads holds the version it was promised, and by writing numbers that
// follow from what it read (see sim_pool.h). Not thread-safe.
class SimDevice {
 public:
  // What is given must outlive this.
  SimDevice(SimPool* pool, const SimCheckpoints* checkpoints,
            const SimSetup* setup)
      : pool_(pool), checkpoints_(checkpoints), setup_(setup) {}

  void CheckReads(const hydra::worker::v1::Task& task) const;

  // Writes what the task makes, and fills in what it measured. `reserve_bytes`:
  // what a pilot must leave free.
  //
  // Errors: the checkpoint's that it reads.
  absl::Status Compute(const hydra::worker::v1::Task& task,
                       int64_t reserve_bytes,
                       hydra::worker::v1::TaskReport& report);

  // For all of the task's layers at once.
  bool HasRoomFor(const hydra::worker::v1::Task& task) const;

 private:
  // What stands for all that the task computes from.
  uint64_t InputOf(const hydra::worker::v1::Task& task) const;
  void FillIn(const hydra::worker::v1::Task& task, int64_t reserve_bytes,
              hydra::worker::v1::TaskReport& report) const;
  absl::Status Write(const hydra::worker::v1::Task& task);

  SimPool* const pool_;
  const SimCheckpoints* const checkpoints_;
  const SimSetup* const setup_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_DEVICE_H_
