#ifndef HYDRA_SCHEDULER_CORE_TESTING_SMALL_JOB_H_
#define HYDRA_SCHEDULER_CORE_TESTING_SMALL_JOB_H_

#include <cstdint>

#include "scheduler/core/new_job.h"

namespace hydra {

// A job of `steps` steps on a small GPT-2, with evaluations, a checkpoint after
// every second step, and a trained model to be written.
NewJob SmallJob(int64_t steps);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TESTING_SMALL_JOB_H_
