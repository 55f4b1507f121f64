#ifndef HYDRA_CLIENT_COMMANDS_SUBMIT_REQUEST_H_
#define HYDRA_CLIENT_COMMANDS_SUBMIT_REQUEST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli_context.h"
#include "client/commands/path_hints.h"
#include "client/connection/connection.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/job_file_check.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

struct JobFileRequest {
  v1::SubmitRequest request;
  // For what the server may find wrong with it.
  PathHints hints;
  // With any mistake the request is what could be read, and is only there to be
  // checked.
  JobFileMistakes known;
};

// The request for what was read, with a request id of its own. Relative paths
// count from `base`.
JobFileRequest RequestOf(JobFile file, const std::string& base);

// Reads a job file into a request with a request id of its own. Relative paths
// in the file count from its BaseDirectory().
//
// INVALID_ARGUMENT: there is no such file, or it is no YAML.
// FAILED_PRECONDITION: there is no working directory, and it is needed.
absl::StatusOr<JobFileRequest> LoadSubmitRequest(const CliContext& context,
                                                 const std::string& path);

// Submits it. What has mistakes is not submitted: the server is asked what else
// is wrong.
//
// INVALID_ARGUMENT: all mistakes, the file's and the server's, each once and in
//   the order of the file; the server's have the hints. Where the server could
//   not be asked, the last line says so.
absl::StatusOr<v1::SubmitResponse> Submit(const JobFileRequest& file,
                                          Connection* connection);

// Asks what its jobs will take on devices with such memory limits, or, if there
// are none, on the server's own. Errors: as Submit.
absl::StatusOr<v1::PlanResponse> Plan(
    const JobFileRequest& file, const std::vector<int64_t>& device_memory_bytes,
    Connection* connection);

// What to answer where no server can be asked because of `why`: that, or the
// mistakes that are known without one.
absl::Status NotAsked(const JobFileRequest& file, const absl::Status& why);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_SUBMIT_REQUEST_H_
