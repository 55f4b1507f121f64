#ifndef HYDRA_COMMON_JOBFILE_JOB_FIELDS_H_
#define HYDRA_COMMON_JOBFILE_JOB_FIELDS_H_

#include "common/jobfile/job_yaml.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// All that is set in `spec`, as a job file writes it: JobYaml() of it is a job
// file of the same job. Numbers have as many digits as it takes to read the
// same number. Pure.
JobFields FieldsOf(const v1::JobSpec& spec);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_JOB_FIELDS_H_
