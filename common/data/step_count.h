#ifndef HYDRA_COMMON_DATA_STEP_COUNT_H_
#define HYDRA_COMMON_DATA_STEP_COUNT_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "hydra/v1/job.pb.h"

namespace hydra {

// How much a job trains. Of a spec with every default filled in.

// Sequences in one update.
inline int64_t SequencesPerStep(const hydra::v1::TrainSpec& train) {
  return int64_t{train.per_device_train_batch_size()} *
         train.gradient_accumulation_steps();
}

// Updates that it makes, where an epoch has so many (StepsPerEpoch()): at least
// one.
inline int64_t TotalSteps(const hydra::v1::TrainSpec& train,
                          int64_t steps_per_epoch) {
  if (train.has_max_steps()) return train.max_steps();
  return std::max<int64_t>(
      1, std::llround(train.num_train_epochs() * steps_per_epoch));
}

}  // namespace hydra

#endif  // HYDRA_COMMON_DATA_STEP_COUNT_H_
