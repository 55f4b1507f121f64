#ifndef HYDRA_COMMON_JOBFILE_PATH_RULES_H_
#define HYDRA_COMMON_JOBFILE_PATH_RULES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/jobfile/mistakes.h"
#include "hydra/v1/job.pb.h"

// What all paths on the server have in common. Pure: nobody looks at the disk.
namespace hydra {

// Whether JobSpec's field at `field_path` holds a path on the server.
bool IsPathField(absl::string_view field_path);

// One path of a job; `value` points into it.
struct PathField {
  std::string field;  // "data.train_files[0]"
  std::string* value;
};

// The paths that `job` gives; unset ones are left out.
std::vector<PathField> PathsOf(v1::JobSpec* job);

// `path` below `base_dir` unless it is absolute or empty. What is no path, such
// as "~/x" or "s3://x", stays as it is, and CheckPath says so; a file that
// really has such a name is written "./~".
std::string AbsolutePath(absl::string_view path, absl::string_view base_dir);

// Adds a mistake unless `path` is absolute, of a length that Linux takes, and
// free of control characters. Where it leads to is not checked.
void CheckPath(absl::string_view field, absl::string_view path,
               Mistakes* mistakes);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_PATH_RULES_H_
