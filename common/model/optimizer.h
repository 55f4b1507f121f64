#ifndef HYDRA_COMMON_MODEL_OPTIMIZER_H_
#define HYDRA_COMMON_MODEL_OPTIMIZER_H_

#include <cstdint>

#include "hydra/v1/job.pb.h"

namespace hydra {

// How many times the bytes of its parameters an optimizer keeps as state: Adam
// and AdamW two (first and second moment), SGD with momentum one, plain SGD
// none. A state block holds the moments one after the other, each laid out like
// the parameter block. Names every optimizer, so that the compiler asks for a
// new one.
inline int64_t OptimizerStateFactor(const hydra::v1::TrainSpec& train) {
  switch (train.optim()) {
    case hydra::v1::OPTIMIZER_ADAM:
    case hydra::v1::OPTIMIZER_ADAMW:
      return 2;
    case hydra::v1::OPTIMIZER_SGD:
    case hydra::v1::OPTIMIZER_UNSPECIFIED:
    case hydra::v1::Optimizer_INT_MIN_SENTINEL_DO_NOT_USE_:
    case hydra::v1::Optimizer_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  return train.momentum() != 0 ? 1 : 0;
}

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_OPTIMIZER_H_
