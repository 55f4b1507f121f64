#ifndef HYDRA_WORKER_SESSION_PROCESS_LOG_H_
#define HYDRA_WORKER_SESSION_PROCESS_LOG_H_

#include <string>

#include "absl/status/status.h"

namespace hydra {

// Starts this process's own log: one new file in `directory`, named after
// `program`, the time and the process id; with an empty directory, stderr.
// Every line is written at once, since a worker may be killed at any moment.
// Call once, before any line is logged. `program` is copied.
//
// Errors: what the system said of the directory; nothing was started.
absl::Status StartProcessLog(const std::string& program,
                             const std::string& directory);

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_PROCESS_LOG_H_
