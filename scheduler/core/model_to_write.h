#ifndef HYDRA_SCHEDULER_CORE_MODEL_TO_WRITE_H_
#define HYDRA_SCHEDULER_CORE_MODEL_TO_WRITE_H_

#include <string>

#include "scheduler/core/actions.h"
#include "scheduler/core/job.h"

namespace hydra {

// The job's model, to be written to `directory`; without blocks as yet.
ModelToWrite ModelToWriteOf(const Job& job, const std::string& directory);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_MODEL_TO_WRITE_H_
