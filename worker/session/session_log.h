#ifndef HYDRA_WORKER_SESSION_SESSION_LOG_H_
#define HYDRA_WORKER_SESSION_SESSION_LOG_H_

#include "absl/strings/string_view.h"
#include "worker/session/log_buffer.h"

namespace hydra {

// Writes each line to the process's own log, with its job, step and task, and
// keeps it for the daemon.
//
// Thread-safe. `buffer` is not owned and must outlive this.
class SessionLog {
 public:
  explicit SessionLog(LogBuffer* buffer) : buffer_(buffer) {}

  // One line, without its line end.
  void Log(LogSeverity severity, const LogContext& context,
           absl::string_view text);

 private:
  LogBuffer* const buffer_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_SESSION_LOG_H_
