#include "client/page/page_elsewhere.h"

#include "absl/strings/str_cat.h"
#include "client/connection/ssh_address.h"

namespace hydra {
namespace {

// The same here and there, so that the printed address is right here.
constexpr int kPort = 9464;

}  // namespace

std::string HowToReachPage(const std::string& address,
                           const std::string& socket_path) {
  std::string host = "HOST";
  std::string server;
  if (const auto ssh = ParseSshAddress(address); ssh.ok()) {
    host = absl::StrCat(ssh->port.empty() ? "" : "-p ", ssh->port,
                        ssh->port.empty() ? "" : " ", ssh->user,
                        ssh->user.empty() ? "" : "@", ssh->host);
    if (!ssh->socket_path.empty()) {
      server = absl::StrCat(" --server unix:", ssh->socket_path);
    }
  }
  return absl::StrCat(
      "the page is on the server's machine, at unix:", socket_path,
      ". Here, run: ssh -t -L ", kPort, ":127.0.0.1:", kPort, " ", host,
      " hydra", server, " ui --port ", kPort,
      ", and open the address that it prints");
}

}  // namespace hydra
