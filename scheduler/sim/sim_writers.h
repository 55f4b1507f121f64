#ifndef HYDRA_SCHEDULER_SIM_SIM_WRITERS_H_
#define HYDRA_SCHEDULER_SIM_SIM_WRITERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/ids/ids.h"
#include "scheduler/core/actions.h"
#include "scheduler/sim/daemon_process.h"
#include "scheduler/sim/sim_machine.h"
#include "scheduler/sim/sim_pool.h"
#include "scheduler/sim/training_check.h"

namespace hydra {

// The writers of a simulated daemon: they put its jobs' models, checkpoints and
// log lines on the disk, and check them. Not thread-safe.
class SimWriters {
 public:
  // What is given must outlive this.
  SimWriters(SimMachine* machine, DaemonProcess* daemon)
      : machine_(machine), daemon_(daemon), check_(machine) {}

  void Write(const SaveRequest& request);
  void Write(const CheckpointRequest& request);
  void Remove(const CheckpointRemoval& removal);
  void Keep(const LineForJob& kept);

  int64_t models() const { return models_; }
  int64_t checkpoints() const { return checkpoints_; }
  const TrainingCheck& check() const { return check_; }
  // The first hundred of a job.
  const std::vector<std::string>& LinesOf(JobId job) { return lines_[job]; }

 private:
  void WriteBlock(std::shared_ptr<const CheckpointRequest> request,
                  std::shared_ptr<SimCheckpoint> made, size_t index);

  SimMachine* const machine_;
  DaemonProcess* const daemon_;
  TrainingCheck check_;
  int64_t models_ = 0;
  int64_t checkpoints_ = 0;
  std::map<JobId, std::vector<std::string>> lines_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_WRITERS_H_
