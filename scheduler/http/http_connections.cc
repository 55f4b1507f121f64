#include "scheduler/http/http_connections.h"

#include <sys/socket.h>

#include <algorithm>

namespace hydra {
namespace {

// The kernel knows nobody behind a TCP connection.
Caller CallerBehind(int fd) {
  sockaddr_storage address = {};
  socklen_t address_size = sizeof(address);
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &address_size) !=
          0 ||
      address.ss_family != AF_UNIX ||
      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return Caller();
  }
  return Caller{peer.uid};
}

}  // namespace

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
