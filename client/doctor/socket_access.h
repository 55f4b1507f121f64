#ifndef HYDRA_CLIENT_DOCTOR_SOCKET_ACCESS_H_
#define HYDRA_CLIENT_DOCTOR_SOCKET_ACCESS_H_

#include <string>

namespace hydra {

// Whether this process may connect to a unix socket.
struct SocketAccess {
  enum class Kind {
    kUsable,
    // It is not there.
    kMissing,
    kNoSocket,
    // Its mode is against it.
    kRefused,
    // That of a folder on the way is, so nothing is known of the socket.
    kHidden,
  };

  Kind kind = Kind::kUsable;
  // Of the socket, where it can be seen: names, or numbers without one.
  std::string owner;
  std::string group;
};

SocketAccess LookAtSocket(const std::string& path);

}  // namespace hydra

#endif  // HYDRA_CLIENT_DOCTOR_SOCKET_ACCESS_H_
