#ifndef HYDRA_CLIENT_CONNECTION_SOCKET_ACCESS_H_
#define HYDRA_CLIENT_CONNECTION_SOCKET_ACCESS_H_

#include <sys/types.h>

#include <string>

namespace hydra {

// What keeps somebody from a socket: the socket itself, or a folder on the way.
struct ClosedPlace {
  std::string path;
  bool is_folder = false;
  mode_t mode = 0;
  std::string owner;
  std::string group;
};

// Tells `user` whom it is for, and what to ask for. Pure.
std::string NoAccessText(const std::string& socket, const ClosedPlace& place,
                         const std::string& user);

// Why this process may not connect to the unix socket, for people. Empty: it
// may, or there is none. Looks at the file system and the machine's accounts.
std::string WhyNoAccess(const std::string& socket);

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_SOCKET_ACCESS_H_
