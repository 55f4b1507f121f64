#ifndef HYDRA_CLIENT_COMMANDS_TEXT_FILE_H_
#define HYDRA_CLIENT_COMMANDS_TEXT_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/cli_context.h"

namespace hydra {

// The whole text of a file, or of a pipe or terminal until its end; "-" is
// `context.in`.
//
// INVALID_ARGUMENT: it cannot be read, or is larger than any file that Hydra
//   takes as YAML.
absl::StatusOr<std::string> ReadTextFile(const CliContext& context,
                                         const std::string& path);

// The directory from which relative paths in that file count: the file's own,
// but the working directory for what lies in no directory, such as "-", a pipe,
// /dev/stdin or a shell's <(...).
//
// FAILED_PRECONDITION: there is no working directory any more.
absl::StatusOr<std::string> BaseDirectory(const std::string& path);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_TEXT_FILE_H_
