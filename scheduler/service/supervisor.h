#ifndef HYDRA_SCHEDULER_SERVICE_SUPERVISOR_H_
#define HYDRA_SCHEDULER_SERVICE_SUPERVISOR_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hydra {

// Starts a program, starts it again when it ends, after a pause that grows
// while it ends quickly, and kills it when asked. One for each worker.
//
// Thread-safe. The process is told to die when this object's thread does
// (PR_SET_PDEATHSIG is the program's own doing).
class Supervisor {
 public:
  struct Process {
    std::vector<std::string> arguments;
    // Beside those of this process: "NAME=value".
    std::vector<std::string> environment;
  };
  struct Callbacks {
    // What to start; asked before each start.
    std::function<Process()> next;
    std::function<void(pid_t)> started;
    // The process is gone and reaped. How it ended, for people.
    std::function<void(const std::string& how)> died;
  };

  explicit Supervisor(Callbacks callbacks);
  // Stop(), with no patience.
  ~Supervisor();

  // Kills the process; it is started again.
  void Kill(absl::string_view reason) ABSL_LOCKS_EXCLUDED(mu_);

  // From now on a process that ends is not started again. Returns at once.
  void StopRestarting() ABSL_LOCKS_EXCLUDED(mu_);

  // StopRestarting, then waits until the process has ended by itself, or kills
  // it after `patience`.
  void Stop(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  // Starts one process and waits for its end.
  void RunOnce() ABSL_LOCKS_EXCLUDED(mu_);

  const Callbacks callbacks_;
  absl::Mutex mu_;
  // 0: none runs. Not reaped while it is set, so it names no other process.
  pid_t pid_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_SUPERVISOR_H_
