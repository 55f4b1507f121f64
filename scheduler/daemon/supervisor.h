#ifndef HYDRA_SCHEDULER_DAEMON_SUPERVISOR_H_
#define HYDRA_SCHEDULER_DAEMON_SUPERVISOR_H_

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_event.h"
#include "scheduler/daemon/worker_process.h"

namespace hydra {

// Starts a program, starts it again when it ends, after a pause that grows
// while it ends quickly, and kills it when asked. One for each worker. The
// process is in a group of its own, has no open files of this one but the
// first two, and outlives this program if that is killed. What it wrote on its
// standard error comes to the log when it has ended.
//
// Thread-safe.
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
    // The process is gone and reaped. How it ended, and what it said of that,
    // for people.
    std::function<void(const std::string& how)> died;
  };

  explicit Supervisor(Callbacks callbacks);
  // Begins with a process that an earlier daemon started; callbacks.started is
  // not called for it.
  Supervisor(Callbacks callbacks, ForeignProcess adopted);
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
  // Waits for the end of the adopted process.
  void AwaitAdopted() ABSL_LOCKS_EXCLUDED(mu_);
  // Starts one process and waits for its end.
  void RunOnce() ABSL_LOCKS_EXCLUDED(mu_);
  void KillLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Callbacks callbacks_;
  absl::Mutex mu_;
  // 0: none runs. Not reaped while it is set, so it names no other process.
  pid_t pid_ ABSL_GUARDED_BY(mu_) = 0;
  // While it runs.
  std::optional<ForeignProcess> adopted_ ABSL_GUARDED_BY(mu_);
  SteadyEvent stopping_;
  SteadyEvent ended_;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_SUPERVISOR_H_
