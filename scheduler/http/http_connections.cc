#include "scheduler/http/http_connections.h"

#include <sys/socket.h>

#include <algorithm>

#include "scheduler/service/socket_caller.h"

namespace hydra {
HttpConnections::Place HttpConnections::Begin(int fd, absl::Time now) {
  const Caller caller = CallerBehind(fd);
  absl::MutexLock lock(&mu_);
  const auto own = std::count_if(
      connections_.begin(), connections_.end(),
      [&](const Connection& other) { return other.caller == caller; });
  if (own >= for_each_) shutdown(fd, SHUT_RDWR);
  return connections_.insert(connections_.end(), {fd, caller, now + life_});
}

void HttpConnections::End(Place place) {
  absl::MutexLock lock(&mu_);
  connections_.erase(place);
}

void HttpConnections::ShutDownOld(absl::Time now) {
  absl::MutexLock lock(&mu_);
  for (const Connection& connection : connections_) {
    if (connection.end > now) return;
    shutdown(connection.fd, SHUT_RDWR);
  }
}

}  // namespace hydra
