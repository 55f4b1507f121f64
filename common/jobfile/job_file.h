#ifndef HYDRA_COMMON_JOBFILE_JOB_FILE_H_
#define HYDRA_COMMON_JOBFILE_JOB_FILE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// A job file's content, as written: docs/job-file.md. Submitting takes just
// this.
struct JobFile {
  v1::JobSpec job;
  std::vector<v1::GridAxis> grid;
};

// Reads a job file: JobSpec's fields, and `sweep: grid:` with a list of values
// for each field's path. Pure. No defaults are filled in, and the job's meaning
// is not checked: validate.h does that, for each job of the sweep.
//
// INVALID_ARGUMENT: the file is not YAML, or has keys or values of the wrong
//   kind. All mistakes at once, with their lines; MistakesOf takes them apart.
absl::StatusOr<JobFile> ParseJobFile(absl::string_view text);

// Puts every relative path, those in the grid included, below `base_dir`: the
// absolute path of the job file's directory. Pure.
void MakePathsAbsolute(absl::string_view base_dir, JobFile* file);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_JOB_FILE_H_
