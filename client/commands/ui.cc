#include <memory>
#include <ostream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/commands/commands.h"
#include "client/commands/verb.h"
#include "client/page/page_elsewhere.h"
#include "client/page/page_forwarder.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

absl::Status ServesNoPage(const v1::GetServerInfoResponse& server) {
  return absl::FailedPreconditionError(absl::StrCat(
      "the server serves no page on a socket: its admin can set "
      "http.unix_socket (docs/daemon.md)",
      server.http_address().empty()
          ? ""
          : absl::StrCat("; its metrics are at http://",
                         Printable(server.http_address()), "/metrics")));
}

absl::StatusOr<ExitCode> Ui(const CliContext& context,
                            const Invocation& invocation, int port) {
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  const auto server = (*connection)->GetServerInfo(v1::GetServerInfoRequest());
  if (!server.ok()) return server.status();
  if (server->http_socket().empty()) return ServesNoPage(*server);
  // Another machine's path means something else here.
  if (!absl::StartsWith((*connection)->address(), "unix:")) {
    return absl::FailedPreconditionError(Printable(
        HowToReachPage((*connection)->address(), server->http_socket())));
  }
  const auto forwarder = PageForwarder::Listen(server->http_socket(), port);
  if (!forwarder.ok()) return forwarder.status();
  *context.out << (*forwarder)->url() << std::endl;
  *context.err << "Open this address in a browser of this machine. It is for "
                  "whoever knows it, and ends with Ctrl-C."
               << std::endl;
  while (!context.interrupt->WaitFor(absl::Hours(1))) {
  }
  return ExitCode::kOk;
}

}  // namespace

void AddUi(CLI::App* app, Invocation* invocation) {
  const auto port = std::make_shared<int>(0);
  Verb ui(app, "ui",
          "Open the way to the server's page, for a browser of this machine",
          "hydra ui", invocation,
          [invocation, port](const CliContext& context) {
            return Ui(context, *invocation, *port);
          });
  ui.Option("--port", "N", 0, 65535, port.get(),
            "listen on this port of 127.0.0.1; 0: on one that is free");
}

}  // namespace hydra
