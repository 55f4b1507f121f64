#ifndef HYDRA_CLIENT_COMMANDS_SUBMIT_REQUEST_H_
#define HYDRA_CLIENT_COMMANDS_SUBMIT_REQUEST_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/cli_context.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// The whole text of a file; "-" is `context.in`.
absl::StatusOr<std::string> ReadTextFile(const CliContext& context,
                                         const std::string& path);

// Reads a job file into a request with a request id of its own. Relative paths
// in the file count from its directory, or from the current one for "-".
//
// INVALID_ARGUMENT: there is no such file, or it is wrong; all mistakes.
absl::StatusOr<v1::SubmitRequest> LoadSubmitRequest(const CliContext& context,
                                                    const std::string& path);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_SUBMIT_REQUEST_H_
