#include "common/file/listening_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/file/socket_path.h"

namespace hydra {
namespace {

// Of connections that nobody has accepted yet.
constexpr int kBacklog = 1024;
constexpr int kKind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

absl::Status CannotListen(const std::string& address, absl::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot listen on ", address,
                   ": the address is in use or not allowed: ", why));
}

absl::Status CannotListen(const std::string& address) {
  return CannotListen(address, std::strerror(errno));
}

absl::StatusOr<UniqueFd> ListenOn(const addrinfo& info,
                                  const std::string& address) {
  UniqueFd fd(socket(info.ai_family, kKind, 0));
  const int on = 1;
  // A port that a server left a moment ago is free; one in use is not.
  const bool listens =
      fd.is_open() &&
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
      bind(fd.get(), info.ai_addr, info.ai_addrlen) == 0 &&
      listen(fd.get(), kBacklog) == 0;
  if (!listens) return CannotListen(address);
  return fd;
}

}  // namespace

absl::StatusOr<UniqueFd> ListenOnUnix(const std::string& path, mode_t mode) {
  const absl::StatusOr<SocketPath> reachable = SocketPath::Of(path);
  if (!reachable.ok()) return reachable.status();
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, reachable->text().c_str(),
               sizeof(address.sun_path) - 1);
  UniqueFd fd(socket(AF_UNIX, kKind, 0));
  const bool listens =
      fd.is_open() &&
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) == 0 &&
      chmod(address.sun_path, mode) == 0 && listen(fd.get(), kBacklog) == 0;
  if (!listens) return CannotListen("unix:" + path);
  return fd;
}

absl::StatusOr<std::vector<UniqueFd>> ListenOnTcp(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return CannotListen(address, "no port");
  absl::string_view host = absl::string_view(address).substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int result =
      getaddrinfo(std::string(host).c_str(), address.substr(colon + 1).c_str(),
                  &hints, &found);
  if (result != 0) return CannotListen(address, gai_strerror(result));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found,
                                                                 &freeaddrinfo);
  std::vector<UniqueFd> sockets;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    absl::StatusOr<UniqueFd> fd = ListenOn(*one, address);
    if (!fd.ok()) return fd.status();
    sockets.push_back(*std::move(fd));
  }
  return sockets;
}

}  // namespace hydra
