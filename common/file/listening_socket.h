#ifndef HYDRA_COMMON_FILE_LISTENING_SOCKET_H_
#define HYDRA_COMMON_FILE_LISTENING_SOCKET_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/file/file.h"

namespace hydra {

// Sockets that listen, without blocking. Nobody can connect before the socket
// has its mode.
//
// `path` may be of any length that a path may have; nothing must be there.
// FAILED_PRECONDITION: the address is in use or not allowed.
absl::StatusOr<UniqueFd> ListenOnUnix(const std::string& path, mode_t mode);

// "HOST:PORT" or "[HOST]:PORT"; one socket for each address of the host.
absl::StatusOr<std::vector<UniqueFd>> ListenOnTcp(const std::string& address);

}  // namespace hydra

#endif  // HYDRA_COMMON_FILE_LISTENING_SOCKET_H_
