#ifndef HYDRA_WORKER_EXEC_TESTING_TINY_TRAINING_H_
#define HYDRA_WORKER_EXEC_TESTING_TINY_TRAINING_H_

#include <cstddef>
#include <vector>

#include "worker/device/device.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {

// All of a training that must not depend on how its model is cut.
struct TinyOutcome {
  // Of each step, and of the evaluation at the end.
  std::vector<double> losses;
  std::vector<std::byte> state;
};

// Trains three steps on the device, with the model cut there, and evaluates.
// `overlapped`: the tasks of a step are prefetched and written beside others.
TinyOutcome TrainTiny(const TinyJob::Options& options,
                      const std::vector<int>& cuts, Device* device,
                      bool overlapped = false);

// Expects the same bits.
void ExpectSame(const TinyOutcome& actual, const TinyOutcome& expected);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_TESTING_TINY_TRAINING_H_
