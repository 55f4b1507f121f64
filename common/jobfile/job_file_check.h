#ifndef HYDRA_COMMON_JOBFILE_JOB_FILE_CHECK_H_
#define HYDRA_COMMON_JOBFILE_JOB_FILE_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/jobfile/field_order.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/mistakes.h"

namespace hydra {

// What is known of a job file before anybody looks at values, files and the
// model. A plain value.
struct JobFileMistakes {
  // What was found while reading the file. None: all of it is read.
  Mistakes mistakes;
  // The fields whose values are not known because of them.
  std::vector<std::string> unread;
  FieldOrder order;
};

// A job file that was read to its end, whatever is wrong in it, so that the
// rest of it can be checked as well and everything be told at once. With any
// mistake `file` is there to be checked, and never to be queued: each field
// that was not read has some value.
struct JobFileToCheck {
  JobFile file;
  JobFileMistakes known;
};

// Relative paths stay as they are. Pure.
//
// INVALID_ARGUMENT: the text is not YAML.
absl::StatusOr<JobFileToCheck> ReadJobFileToCheck(absl::string_view text);

// What is known, and of `theirs`, found in the file that it is known of, what
// does not only follow from that: each once, in the order of the file. OK if
// there is nothing. Pure.
absl::Status AllMistakes(const JobFileMistakes& known, const Mistakes& theirs);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_JOB_FILE_CHECK_H_
