#ifndef HYDRA_CLIENT_COMMANDS_PATH_HINTS_H_
#define HYDRA_CLIENT_COMMANDS_PATH_HINTS_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/jobfile/job_file.h"

namespace hydra {

// What to write in place of a path, by the field's name: "data.train_files[0]".
using PathHints = std::map<std::string, std::string>;

// For the paths of `file`, as written, that do not exist below `base_dir` on
// this machine and look like something else: a pattern, a variable, a model of
// a hub. Whether it matters is the server's word.
PathHints HintsOf(const JobFile& file, absl::string_view base_dir);

// `status` with the hints behind the mistakes in their fields.
absl::Status WithHints(const absl::Status& status, const PathHints& hints);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_PATH_HINTS_H_
