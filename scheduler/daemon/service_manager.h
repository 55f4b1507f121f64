#ifndef HYDRA_SCHEDULER_DAEMON_SERVICE_MANAGER_H_
#define HYDRA_SCHEDULER_DAEMON_SERVICE_MANAGER_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/file/file.h"

namespace hydra {

// Tells systemd, or whatever else started this process, how it is, by the
// protocol of sd_notify(3): datagrams to the socket that $NOTIFY_SOCKET names.
// What is lost on the way is lost: a service works without a manager too.
// Thread-safe.
class ServiceManager {
 public:
  using GetEnv = std::function<std::optional<std::string>(const char* name)>;

  // By $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID.
  explicit ServiceManager(const GetEnv& getenv);

  // It serves.
  void Ready() const { Send("READY=1"); }
  // It reads its configuration again, and then says how that went, in a line.
  void Reloading() const { Send("RELOADING=1"); }
  void Reloaded(absl::string_view status) const;
  // It is all right.
  void Alive() const { Send("WATCHDOG=1"); }
  // It was told to end, and has another watchdog's time for it.
  void Stopping() const { Send("STOPPING=1\nWATCHDOG=1"); }

  // Without Alive() for so long the process is taken for dead. None: nobody
  // waits for that.
  std::optional<absl::Duration> watchdog() const { return watchdog_; }

 private:
  void Send(absl::string_view message) const;

  // Closed: there is no manager.
  UniqueFd socket_;
  std::string address_;
  std::optional<absl::Duration> watchdog_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_SERVICE_MANAGER_H_
