#ifndef HYDRA_CLIENT_COMMANDS_SUBMIT_REQUEST_H_
#define HYDRA_CLIENT_COMMANDS_SUBMIT_REQUEST_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/cli_context.h"
#include "client/commands/path_hints.h"
#include "client/connection/connection.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

struct JobFileRequest {
  v1::SubmitRequest request;
  // For what the server may find wrong with it.
  PathHints hints;
};

// Reads a job file into a request with a request id of its own. Relative paths
// in the file count from its BaseDirectory().
//
// INVALID_ARGUMENT: there is no such file, or it is wrong; all mistakes.
// FAILED_PRECONDITION: there is no working directory, and it is needed.
absl::StatusOr<JobFileRequest> LoadSubmitRequest(const CliContext& context,
                                                 const std::string& path);

// Submits it; the server's mistakes have the hints.
absl::StatusOr<v1::SubmitResponse> Submit(const JobFileRequest& file,
                                          Connection* connection);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_SUBMIT_REQUEST_H_
