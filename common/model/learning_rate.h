#ifndef HYDRA_COMMON_MODEL_LEARNING_RATE_H_
#define HYDRA_COMMON_MODEL_LEARNING_RATE_H_

#include <cstdint>

#include "hydra/v1/job.pb.h"

namespace hydra {

// Schedules of the learning rate, as the trainer of Hugging Face's transformers
// has them under the same names (get_scheduler): with warm-up the first step's
// rate is 0, and the one after the last warm-up step's is the full one. Pure.

// The steps of warm-up: train.warmup_steps, or train.warmup_ratio of all steps,
// rounded up.
int64_t WarmupSteps(const hydra::v1::TrainSpec& train, int64_t total_steps);

// The rate of step number `step`, from 0, of `total_steps`, in double. `train`
// has every default filled in.
double LearningRateAt(const hydra::v1::TrainSpec& train, int64_t step,
                      int64_t total_steps);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_LEARNING_RATE_H_
