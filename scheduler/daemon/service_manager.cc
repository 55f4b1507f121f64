#include "scheduler/daemon/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

// systemd takes no notice of messages of more than 4 KiB, and would wait for
// one. A byte that is escaped becomes four.
constexpr size_t kMostStatusBytes = 900;

// For this process, as sd_watchdog_enabled(3) says.
std::optional<absl::Duration> WatchdogOf(const ServiceManager::GetEnv& getenv) {
  const std::optional<std::string> pid = getenv("WATCHDOG_PID");
  if (pid.has_value() && *pid != absl::StrCat(getpid())) return std::nullopt;
  int64_t microseconds = 0;
  if (!absl::SimpleAtoi(getenv("WATCHDOG_USEC").value_or(""), &microseconds) ||
      microseconds <= 0) {
    return std::nullopt;
  }
  return absl::Microseconds(microseconds);
}

}  // namespace

ServiceManager::ServiceManager(const GetEnv& getenv)
    : address_(getenv("NOTIFY_SOCKET").value_or("")),
      watchdog_(WatchdogOf(getenv)) {
  const bool is_address = address_.size() > 1 &&
                          (address_[0] == '/' || address_[0] == '@') &&
                          address_.size() < sizeof(sockaddr_un::sun_path);
  if (!is_address) return;
  // A manager that does not read must not hold up the service.
  socket_ =
      UniqueFd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

void ServiceManager::Reloaded(absl::string_view status) const {
  const absl::string_view start = WholeCharacters(status, kMostStatusBytes);
  Send(absl::StrCat("READY=1\nSTATUS=", Printable(start),
                    start.size() < status.size() ? "..." : ""));
}

void ServiceManager::Send(absl::string_view message) const {
  if (!socket_.is_open()) return;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, address_.data(), address_.size());
  // A name without a file begins with a NUL.
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const socklen_t size = offsetof(sockaddr_un, sun_path) + address_.size();
  (void)sendto(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace hydra
