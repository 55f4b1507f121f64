#ifndef HYDRA_SCHEDULER_SIM_TRAINING_CHECK_H_
#define HYDRA_SCHEDULER_SIM_TRAINING_CHECK_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "scheduler/core/actions.h"
#include "scheduler/sim/sim_machine.h"

namespace hydra {

// Compares the trained models of a simulated world, and their losses: they
// follow from the number of steps alone. Not thread-safe.
class TrainingCheck {
 public:
  // `machine` must outlive this.
  explicit TrainingCheck(SimMachine* machine) : machine_(machine) {}

  void Check(const SaveRequest& request);

  // By steps of the job: what stands for its trained model.
  const std::map<int64_t, uint64_t>& trained() const { return trained_; }

 private:
  // By step and split.
  using Losses = std::map<std::pair<int64_t, std::string>, double>;

  void CheckModel(const SaveRequest& request);
  void CheckMetrics(const SaveRequest& request);
  // Of all steps, those on the disk included.
  Losses StepLosses(const SaveRequest& request);

  SimMachine* const machine_;
  std::map<int64_t, uint64_t> trained_;
  // Of jobs with any number of steps.
  Losses losses_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_TRAINING_CHECK_H_
