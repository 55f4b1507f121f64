#ifndef HYDRA_CLIENT_CONNECTION_SSH_ADDRESS_H_
#define HYDRA_CLIENT_CONNECTION_SSH_ADDRESS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

inline constexpr absl::string_view kSshPrefix = "ssh://";

// A hydrad on another machine, which ssh reaches.
struct SshAddress {
  std::string host;
  // Empty: as ssh's configuration says.
  std::string user;
  std::string port;
  // Of the socket there. Empty: what `hydra` finds there.
  std::string socket_path;
};

// "ssh://[user@]host[:port][/path]"; an IPv6 address stands in brackets.
//
// INVALID_ARGUMENT: it is none; also where ssh would take the host or the user
//   for an option.
absl::StatusOr<SshAddress> ParseSshAddress(absl::string_view address);

// The command line of an ssh that runs `hydra proxy` there, as hydractl where
// Hydra is installed under that name.
std::vector<std::string> SshCommand(const SshAddress& address);

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_SSH_ADDRESS_H_
