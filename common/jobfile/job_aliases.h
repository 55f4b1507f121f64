#ifndef HYDRA_COMMON_JOBFILE_JOB_ALIASES_H_
#define HYDRA_COMMON_JOBFILE_JOB_ALIASES_H_

#include "common/jobfile/suggest.h"

namespace hydra {

// What other trainers call the keys and values of a job file, and why some have
// no counterpart. A job file accepts none of these words: they are for asking
// "did you mean", and for reading a whole file of such a trainer
// (import_job.h).
Aliases JobAliases();

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_JOB_ALIASES_H_
