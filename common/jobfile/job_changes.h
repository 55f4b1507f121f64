#ifndef HYDRA_COMMON_JOBFILE_JOB_CHANGES_H_
#define HYDRA_COMMON_JOBFILE_JOB_CHANGES_H_

#include <string>

#include "absl/types/span.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/mistakes.h"

namespace hydra {

// Changes `file` as texts like "train.learning_rate=3e-4" say: a field's whole
// path, and its value as a job file writes it. Adds what is wrong with them to
// `mistakes`, each with the path; then `file` is of no use. Pure.
//
// A list takes the place of the one that was there. Several values of a field
// that has one, "train.learning_rate=[1e-4, 3e-4]", are an axis of the grid.
// Without a value, "lora=", the field or section is as if it had never been
// written: it gets its default.
void ChangeJob(absl::Span<const std::string> changes, JobFile* file,
               Mistakes* mistakes);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_JOB_CHANGES_H_
