#ifndef HYDRA_WORKER_EXEC_GRADIENT_PLACE_H_
#define HYDRA_WORKER_EXEC_GRADIENT_PLACE_H_

#include <cstdint>

#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Where in the pool a block's whole gradient is: in a version of its own, or,
// until the update, where that will put the numbers which it changes.
struct GradientPlace {
  // The task's.
  const worker::v1::BlockVersion* version = nullptr;
  // Where it begins in the version's slot, in floats. Behind its end there is
  // nothing.
  int64_t first = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_GRADIENT_PLACE_H_
