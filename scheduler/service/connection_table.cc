#include "scheduler/service/connection_table.h"

#include <sys/stat.h>

#include <algorithm>
#include <vector>

namespace hydra {
namespace {

// Of hydrad's own files, such as the journals, and of what it sends and saves.
constexpr int64_t kOwnFiles = 256;
constexpr int64_t kFewest = 32;

// 0: it is closed.
ino_t SocketOf(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

}  // namespace

ConnectionLimits LimitsFor(int64_t open_files) {
  ConnectionLimits limits;
  const int64_t possible = std::max(kFewest, (open_files - kOwnFiles) / 2);
  limits.total = static_cast<int>(std::min<int64_t>(limits.total, possible));
  limits.for_each_user = std::min(limits.for_each_user, limits.total / 2);
  return limits;
}

bool MayConnect(int own, int total, const ConnectionLimits& limits) {
  if (own >= limits.for_each_user) return false;
  return total < limits.total || own < limits.reserved_for_each_user;
}

bool ConnectionTable::Add(int fd, const Peer& peer) {
  // The descriptor is new, so an older connection that had its number is over.
  Forget(fd);
  if (!MayConnect(CountOf(peer.uid), size(), limits_)) {
    ForgetClosed();
    if (!MayConnect(CountOf(peer.uid), size(), limits_)) return false;
  }
  connections_[fd] = {peer, SocketOf(fd)};
  ++counts_[peer.uid];
  return true;
}

ConnectionTable::Peer ConnectionTable::PeerOf(int fd) const {
  const auto found = connections_.find(fd);
  return found == connections_.end() ? Peer() : found->second.peer;
}

int ConnectionTable::CountOf(uid_t uid) const {
  const auto found = counts_.find(uid);
  return found == counts_.end() ? 0 : found->second;
}

void ConnectionTable::ForgetClosed() {
  std::vector<int> closed;
  for (const auto& [fd, connection] : connections_) {
    if (SocketOf(fd) != connection.socket) closed.push_back(fd);
  }
  for (int fd : closed) Forget(fd);
}

void ConnectionTable::Forget(int fd) {
  const auto found = connections_.find(fd);
  if (found == connections_.end()) return;
  const auto count = counts_.find(found->second.peer.uid);
  if (--count->second == 0) counts_.erase(count);
  connections_.erase(found);
}

}  // namespace hydra
