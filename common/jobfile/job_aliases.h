#ifndef HYDRA_COMMON_JOBFILE_JOB_ALIASES_H_
#define HYDRA_COMMON_JOBFILE_JOB_ALIASES_H_

#include "common/jobfile/suggest.h"

namespace hydra {

// What other trainers call the keys and values of a job file. Only for asking
// "did you mean": none of these words is accepted.
Aliases JobAliases();

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_JOB_ALIASES_H_
