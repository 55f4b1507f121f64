#ifndef HYDRA_COMMON_MODEL_OPTIMIZER_H_
#define HYDRA_COMMON_MODEL_OPTIMIZER_H_

#include <cstdint>

#include "hydra/v1/job.pb.h"

namespace hydra {

// How many times the bytes of its parameters an optimizer keeps as state: Adam
// and AdamW two (first and second moment), SGD with momentum one, plain SGD
// none. A state block holds the moments one after the other, each laid out like
// the parameter block.
inline int64_t OptimizerStateFactor(const hydra::v1::TrainSpec& train) {
  switch (train.optim()) {
    case hydra::v1::OPTIMIZER_ADAM:
    case hydra::v1::OPTIMIZER_ADAMW:
      return 2;
    default:
      return train.momentum() != 0 ? 1 : 0;
  }
}

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_OPTIMIZER_H_
