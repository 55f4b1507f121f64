#ifndef HYDRA_COMMON_JOBFILE_JOB_FILE_H_
#define HYDRA_COMMON_JOBFILE_JOB_FILE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/jobfile/field_order.h"
#include "common/jobfile/mistakes.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// A job file's content, as written: docs/job-file.md. Submitting takes just
// this.
struct JobFile {
  v1::JobSpec job;
  std::vector<v1::GridAxis> grid;
};

// What could be read of a job file.
struct JobFileDraft {
  // Without the axes of the grid that are wrong. An item of a list that is
  // wrong is there without a value, so that the others keep their numbers.
  JobFile file;
  // None: `file` is all of it.
  Mistakes mistakes;
  FieldOrder order;
};

// Reads a job file: JobSpec's fields, and `sweep: grid:` with a list of values
// for each field's path. Pure. No defaults are filled in, and the job's meaning
// is not checked: validate.h does that, for each job of the sweep.
// Keys and values of the wrong kind are mistakes, all of them, with their
// lines, in the order of the file.
//
// INVALID_ARGUMENT: the file is not YAML.
absl::StatusOr<JobFileDraft> ReadJobFile(absl::string_view text);

// The same of a file that has to be whole.
//
// INVALID_ARGUMENT: also if there are mistakes; MistakesOf takes them apart.
absl::StatusOr<JobFile> ParseJobFile(absl::string_view text);

// Puts every relative path, those in the grid included, below `base_dir`: the
// absolute path of the job file's directory. Pure.
void MakePathsAbsolute(absl::string_view base_dir, JobFile* file);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_JOB_FILE_H_
