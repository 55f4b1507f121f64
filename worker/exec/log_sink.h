#ifndef HYDRA_WORKER_EXEC_LOG_SINK_H_
#define HYDRA_WORKER_EXEC_LOG_SINK_H_

#include <string>

namespace hydra {

// Where a task's log lines for its job's owner go; whoever makes the sink knows
// the task. May be called from one thread at a time.
class LogSink {
 public:
  enum class Severity { kInfo, kWarning, kError };

  virtual ~LogSink() = default;
  virtual void Log(Severity severity, std::string text) = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_LOG_SINK_H_
