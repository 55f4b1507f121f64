#ifndef HYDRA_SCHEDULER_CORE_WRITE_MODEL_H_
#define HYDRA_SCHEDULER_CORE_WRITE_MODEL_H_

#include <string>

#include "scheduler/core/actions.h"
#include "scheduler/core/job.h"

namespace hydra {

// The job's model, to be written to `directory`; without blocks as yet.
ModelToWrite WriteTo(const std::string& directory, const Job& job);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_WRITE_MODEL_H_
