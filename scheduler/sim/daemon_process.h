#ifndef HYDRA_SCHEDULER_SIM_DAEMON_PROCESS_H_
#define HYDRA_SCHEDULER_SIM_DAEMON_PROCESS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/core/actions.h"
#include "scheduler/core/core.h"
#include "scheduler/sim/sim_daemon.h"
#include "scheduler/sim/sim_machine.h"

namespace hydra {

// The process of the simulated daemon: it runs the core's turns, dies in the
// middle of one or between them, and is started again. Not thread-safe.
class DaemonProcess {
 public:
  // What happens around it.
  struct Callbacks {
    std::function<void(const Action&)> carry_out;
    // Whether the worker's process with this secret runs.
    std::function<bool(WorkerId, const std::string&)> is_alive;
    // It is up again, and nothing has happened to it yet.
    std::function<void()> begun;
    // A turn was recorded.
    std::function<void()> committed;
    // It is gone already.
    std::function<void()> died;
    // Chance wants a power cut now.
    std::function<void()> power_fails;
  };

  // `machine` must outlive this. Not up before Start().
  DaemonProcess(SimMachine* machine, Callbacks callbacks);

  void Start();
  // It is started again soon. Nothing happens if it is down.
  void Crash();

  bool is_up() const { return daemon_ != nullptr; }
  int64_t starts() const { return starts_; }

  // One turn of the core, in which the process may die. Nothing happens if it
  // is down.
  void InCore(const std::function<void(Core&)>& event);
  // Nothing happens if this process is gone already, or by then.
  void At(absl::Duration delay, std::function<void()> event);

  // --- Requires that it is up ---

  Core& core() { return daemon_->core(); }
  const Core& core() const { return daemon_->core(); }
  // The secret of the worker's process that it knows; empty: none.
  const std::string& session(WorkerId worker) {
    return daemon_->session(worker);
  }
  void Expect(WorkerId worker, const std::string& session) {
    daemon_->Expect(worker, session);
  }

 private:
  void TickSoon();
  void WriteJobsSoon();
  void ContinueSoon();

  SimMachine* const machine_;
  const Callbacks callbacks_;
  std::unique_ptr<SimDaemon> daemon_;
  // Rises when it dies.
  int generation_ = 0;
  int64_t starts_ = 0;
  bool write_planned_ = false;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_DAEMON_PROCESS_H_
