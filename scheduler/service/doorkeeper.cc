#include "scheduler/service/doorkeeper.h"

#include <grpcpp/server_posix.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "glog/logging.h"
#include "scheduler/service/socket_caller.h"

namespace hydra {
namespace {

// Until descriptors may be free again.
constexpr int kPauseMs = 100;

Doorkeeper::Peer PeerOfSocket(const UniqueFd& connection) {
  const Caller caller = CallerBehind(connection.get());
  return {caller.user, caller.pid, caller.groups};
}

}  // namespace

Doorkeeper::Doorkeeper(std::vector<UniqueFd> sockets, grpc::Server* server,
                       const ConnectionLimits& limits,
                       std::function<bool(const Peer&)> may_enter)
    : sockets_(std::move(sockets)),
      server_(server),
      may_enter_(std::move(may_enter)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      table_(limits) {
  PCHECK(stop_.is_open()) << "no descriptor is left at the start";
}

Doorkeeper::~Doorkeeper() { Stop(); }

void Doorkeeper::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Doorkeeper::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  PCHECK(write(stop_.get(), &one, sizeof(one)) == sizeof(one));
  thread_.join();
}

Doorkeeper::Peer Doorkeeper::PeerOf(const std::string& grpc_peer) const {
  absl::string_view text = grpc_peer;
  int fd = -1;
  if (!absl::ConsumePrefix(&text, "fd:") || !absl::SimpleAtoi(text, &fd)) {
    return Peer();
  }
  absl::MutexLock lock(&mu_);
  return table_.PeerOf(fd);
}

void Doorkeeper::Loop() {
  std::vector<pollfd> wanted = {{stop_.get(), POLLIN, 0}};
  for (const UniqueFd& socket : sockets_) {
    wanted.push_back({socket.get(), POLLIN, 0});
  }
  bool starved = false;
  while (true) {
    // While starved, only the end is awaited.
    const int ready = poll(wanted.data(), starved ? 1 : wanted.size(),
                           starved ? kPauseMs : -1);
    if (ready < 0) {
      PCHECK(errno == EINTR);
      continue;
    }
    if (wanted[0].revents != 0) return;
    bool all = true;
    for (const UniqueFd& socket : sockets_) all = AcceptAll(socket) && all;
    if (all && starved) LOG(INFO) << "accepting connections again";
    if (!all && !starved) {
      PLOG(WARNING) << "connections wait, since none can be accepted";
    }
    starved = !all;
  }
}

bool Doorkeeper::AcceptAll(const UniqueFd& socket) {
  while (true) {
    UniqueFd connection(
        accept4(socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection.is_open()) {
      LetIn(std::move(connection));
      continue;
    }
    switch (errno) {
      case EAGAIN:
        return true;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return false;
      default:
        // The connection's own fault, such as one that was given up; others may
        // wait behind it.
        if (errno != EINTR && errno != ECONNABORTED) return true;
    }
  }
}

void Doorkeeper::LetIn(UniqueFd connection) {
  const Peer peer = PeerOfSocket(connection);
  if (!may_enter_(peer)) {
    LOG_EVERY_N(WARNING, 100) << "process " << peer.pid << " of user "
                              << peer.uid << " may not connect";
    return;
  }
  bool added = false;
  {
    absl::MutexLock lock(&mu_);
    added = table_.Add(connection.get(), peer);
  }
  if (!added) {
    LOG_EVERY_N(WARNING, 100)
        << "user " << static_cast<int>(peer.uid)
        << " has too many connections, and another one is closed";
    return;
  }
  // Fails on unix sockets, which have no such delay.
  const int on = 1;
  (void)setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  grpc::AddInsecureChannelFromFd(server_, connection.Release());
}

}  // namespace hydra
