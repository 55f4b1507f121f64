#ifndef HYDRA_SCHEDULER_SUBMISSION_USER_FILE_H_
#define HYDRA_SCHEDULER_SUBMISSION_USER_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/file/file.h"
#include "scheduler/submission/path_policy.h"

// Files that a job names, as the daemon reads them. Blocks on the disk.
namespace hydra {

// Opens a file that the policy lets a job read. Judged is the file that is then
// read: whoever changes links meanwhile gains nothing.
//
// Errors: as PathPolicy::CheckReadableFile and OpenJobFile.
absl::StatusOr<UniqueFd> OpenUserFile(const std::string& path,
                                      const PathPolicy& paths);

// All of it.
//
// INVALID_ARGUMENT: it has more than `max_bytes`. Others: as OpenUserFile.
absl::StatusOr<std::string> ReadUserFile(const std::string& path,
                                         const PathPolicy& paths,
                                         int64_t max_bytes);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SUBMISSION_USER_FILE_H_
