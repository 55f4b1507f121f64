#ifndef HYDRA_CLIENT_CONNECTION_ADDRESS_H_
#define HYDRA_CLIENT_CONNECTION_ADDRESS_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// Reads one variable of the environment.
using GetEnv = std::function<std::optional<std::string>(const char* name)>;

// Where the server is: "unix:/path", "host:port" or "ssh://host" and more
// (ssh_address.h).
//
// `flag` if it is not empty, else $HYDRA_SERVER, else the first socket that
// exists of $XDG_RUNTIME_DIR/hydrad.sock, /run/hydra/hydrad.sock and
// $HOME/.local/state/hydra/hydrad.sock. A bare absolute path is a unix socket.
//
// INVALID_ARGUMENT: the address has no such form, or the path is longer than a
//   socket's may be.
// UNAVAILABLE: nothing was given and no socket exists; says what was tried.
absl::StatusOr<std::string> ResolveServer(
    absl::string_view flag, const GetEnv& getenv,
    const std::function<bool(const std::string& path)>& exists);

// The same as a URI, which gRPC wants: a path may have any byte.
std::string GrpcTarget(absl::string_view address);

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_ADDRESS_H_
