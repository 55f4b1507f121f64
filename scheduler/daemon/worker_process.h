#ifndef HYDRA_SCHEDULER_DAEMON_WORKER_PROCESS_H_
#define HYDRA_SCHEDULER_DAEMON_WORKER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"

namespace hydra {

// When the process was started, in the kernel's clock ticks since the machine's
// start. With the process id it names one process for as long as the machine
// runs.
//
// NOT_FOUND: there is no such process.
absl::StatusOr<int64_t> StartTimeOf(pid_t pid);

// A process that is not this one's child: it can be killed and waited for, and
// never taken for another one with the same id. Owns a pidfd; movable; not
// thread-safe.
class ForeignProcess {
 public:
  // NOT_FOUND: it is gone, or the id is another process's now.
  static absl::StatusOr<ForeignProcess> Open(pid_t pid, int64_t start_time);

  ForeignProcess(ForeignProcess&& other) noexcept
      : pid_(other.pid_), fd_(std::exchange(other.fd_, -1)) {}
  ForeignProcess& operator=(ForeignProcess&&) = delete;
  ~ForeignProcess();

  pid_t pid() const { return pid_; }
  // Also ends a stopped process. Returns at once.
  void Kill() const;
  // Returns when it is dead.
  void AwaitEnd() const;

 private:
  ForeignProcess(pid_t pid, int fd) : pid_(pid), fd_(fd) {}

  const pid_t pid_;
  int fd_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_WORKER_PROCESS_H_
