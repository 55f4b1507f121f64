#include "scheduler/service/socket_caller.h"

#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <vector>

namespace hydra {
namespace {

// Those that the process had when it connected, by the kernel: to look them up
// by the user's name could take as long as a directory service takes, here
// where everybody waits, and would find groups that the process was never
// given.
std::vector<gid_t> GroupsOfSocket(int socket, gid_t own) {
  std::vector<gid_t> groups(32);
  while (true) {
    socklen_t size = groups.size() * sizeof(gid_t);
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) ==
        0) {
      groups.resize(size / sizeof(gid_t));
      break;
    }
    if (errno != ERANGE || size / sizeof(gid_t) <= groups.size()) {
      groups.clear();
      break;
    }
    groups.resize(size / sizeof(gid_t));
  }
  groups.push_back(own);
  return groups;
}

}  // namespace

Caller CallerBehind(int socket) {
  ucred credentials = {};
  socklen_t size = sizeof(credentials);
  sockaddr_storage address = {};
  socklen_t address_size = sizeof(address);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address),
                  &address_size) != 0 ||
      address.ss_family != AF_UNIX ||
      getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Caller();
  }
  return {credentials.uid, credentials.pid,
          std::make_shared<const std::vector<gid_t>>(
              GroupsOfSocket(socket, credentials.gid))};
}

}  // namespace hydra
