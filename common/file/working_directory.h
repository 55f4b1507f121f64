#ifndef HYDRA_COMMON_FILE_WORKING_DIRECTORY_H_
#define HYDRA_COMMON_FILE_WORKING_DIRECTORY_H_

#include <string>

#include "absl/status/statusor.h"

namespace hydra {

// Where relative paths start.
//
// FAILED_PRECONDITION: the directory was removed while this process was in it,
//   or may not be read any more. std::filesystem would throw.
absl::StatusOr<std::string> WorkingDirectory();

// `path` from the root, "." and ".." taken out by name; links are not followed.
// Needs the working directory for relative paths alone, and fails as above.
absl::StatusOr<std::string> AbsoluteFromHere(const std::string& path);

}  // namespace hydra

#endif  // HYDRA_COMMON_FILE_WORKING_DIRECTORY_H_
