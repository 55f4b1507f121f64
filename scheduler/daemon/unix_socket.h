#ifndef HYDRA_SCHEDULER_DAEMON_UNIX_SOCKET_H_
#define HYDRA_SCHEDULER_DAEMON_UNIX_SOCKET_H_

#include <string>

#include "absl/status/status.h"

namespace hydra {

// Makes way for a server that will listen on `path`: its folder is made if the
// one above is there, and a socket that a dead server left is removed.
//
// INVALID_ARGUMENT: the path is too long for a socket.
// FAILED_PRECONDITION: a live server listens there, or it is not a socket.
// Others: what the system said of making the folder.
absl::Status ClaimSocketPath(const std::string& path);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_UNIX_SOCKET_H_
