#ifndef HYDRA_CLIENT_CONNECTION_SOCKET_ACCESS_H_
#define HYDRA_CLIENT_CONNECTION_SOCKET_ACCESS_H_

#include <sys/types.h>

#include <string>

namespace hydra {

// Whether this process may connect to a unix socket.
struct SocketAccess {
  enum class Kind {
    kUsable,
    // It is not there.
    kMissing,
    kNoSocket,
    // Its mode is against it, or that of a folder on the way.
    kClosed,
  };

  Kind kind = Kind::kUsable;
  // What is closed: the socket, or the first such folder.
  std::string place;
  bool is_folder = false;
  mode_t mode = 0;
  // Whose that is, and who this process is: names, or numbers without one.
  std::string owner;
  std::string group;
  std::string user;
};

// Looks at the file system and the machine's accounts.
SocketAccess LookAtSocket(const std::string& path);

// Of a closed one, for people: whom it is for, and what to do. Pure.
std::string WhyClosed(const std::string& socket, const SocketAccess& closed);
std::string RemedyOf(const SocketAccess& closed);

// Both, of a socket that is closed to this process; else empty.
std::string WhyNoAccess(const std::string& socket);

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_SOCKET_ACCESS_H_
