#ifndef HYDRA_CLIENT_PRIVATE_DAEMON_CHILD_PROCESS_H_
#define HYDRA_CLIENT_PRIVATE_DAEMON_CHILD_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace hydra {

// A program that runs as long as this object at most. It gets SIGTERM when the
// thread that started it ends, however that happens, so start it from a thread
// that lives as long as the program. It has a process group of its own: a
// Ctrl-C at the terminal does not reach it. Not thread-safe.
class ChildProcess {
 public:
  // Runs `arguments`, the first of which is the program's path; its output and
  // errors go to the end of `log_path`, and it reads nothing.
  static absl::StatusOr<std::unique_ptr<ChildProcess>> Start(
      const std::vector<std::string>& arguments, const std::string& log_path);

  // Ends it if it still runs, without mercy.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Waits until it has ended, at most so long. Returns whether it has.
  bool WaitFor(absl::Duration timeout);

  // SIGTERM, and SIGKILL when it still runs after `patience`. Returns whether
  // it ended by itself.
  bool Stop(absl::Duration patience);

  // "exited with code 3", "was killed by signal 9 (Killed)". It has ended.
  std::string HowItEnded() const;

  pid_t pid() const { return pid_; }

 private:
  ChildProcess(pid_t pid, int pid_fd);

  const pid_t pid_;
  const int pid_fd_;
  bool reaped_ = false;
  int wait_status_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_PRIVATE_DAEMON_CHILD_PROCESS_H_
