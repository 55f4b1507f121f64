#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/commands/commands.h"
#include "client/commands/verb.h"
#include "client/connection/copy_both_ways.h"
#include "client/connection/socket_access.h"
#include "common/file/file.h"

namespace hydra {
namespace {

absl::StatusOr<UniqueFd> ConnectTo(const std::string& path) {
  UniqueFd socket_fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // ServerAddress() refuses paths that are too long.
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  if (connect(socket_fd.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0) {
    return socket_fd;
  }
  const int error = errno;
  const std::string what = absl::StrCat("cannot connect to ", path);
  if (error == ENOENT || error == ECONNREFUSED) {
    return absl::UnavailableError(
        absl::StrCat(what, ": ", std::strerror(error), "; is hydrad running?"));
  }
  if (const std::string why = WhyNoAccess(path); !why.empty()) {
    return absl::PermissionDeniedError(why);
  }
  return absl::ErrnoToStatus(error, what);
}

absl::StatusOr<ExitCode> Proxy(const CliContext& context,
                               const Invocation& invocation) {
  if (isatty(STDIN_FILENO) != 0) {
    return absl::InvalidArgumentError(
        "hydra proxy is for ssh, which another machine's hydra starts with "
        "--server ssh://HOST; standard input is a terminal");
  }
  const auto server = ServerAddress(context, invocation);
  if (!server.ok()) return server.status();
  absl::string_view path = *server;
  if (!absl::ConsumePrefix(&path, "unix:")) {
    return absl::InvalidArgumentError(absl::StrCat(
        "hydra proxy connects to a unix socket, and the server is ", *server));
  }
  const auto socket = ConnectTo(std::string(path));
  if (!socket.ok()) return socket.status();
  const absl::Status copied =
      CopyBothWays(STDIN_FILENO, STDOUT_FILENO, socket->get());
  if (!copied.ok()) return copied;
  return ExitCode::kOk;
}

}  // namespace

void AddProxy(CLI::App* app, Invocation* invocation) {
  Verb verb(app, "proxy",
            "Connect standard input and output with the server's socket, for "
            "--server ssh://HOST of another machine",
            "hydra proxy", invocation, [invocation](const CliContext& context) {
              return Proxy(context, *invocation);
            });
  verb.Hidden();
}

}  // namespace hydra
