#include "tests/faults/silent_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>

#include "glog/logging.h"

namespace hydra {
namespace {

constexpr int kPollMs = 20;

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int Socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  PCHECK(fd >= 0);
  return fd;
}

// Bound to a free port.
int BoundSocket() {
  const int fd = Socket();
  const sockaddr_in any = Loopback(0);
  PCHECK(bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof(any)) == 0);
  return fd;
}

int PortOf(int fd) {
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  PCHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

}  // namespace

int FreePort() {
  const int fd = BoundSocket();
  const int port = PortOf(fd);
  close(fd);
  return port;
}

SilentProxy::SilentProxy(int target_port)
    : target_port_(target_port), listener_(BoundSocket()) {
  PCHECK(listen(listener_, SOMAXCONN) == 0);
  port_ = PortOf(listener_);
  thread_ = std::thread([this] { Loop(); });
}

SilentProxy::~SilentProxy() {
  GoSilent();
  std::set<int> open = {listener_};
  for (const auto& [from, to] : ways_) open.insert(from);
  for (int fd : open) close(fd);
}

void SilentProxy::GoSilent() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void SilentProxy::Loop() {
  while (!stopping_) {
    std::vector<pollfd> fds = {{listener_, POLLIN, 0}};
    for (const auto& [from, to] : ways_) fds.push_back({from, POLLIN, 0});
    if (poll(fds.data(), fds.size(), kPollMs) <= 0) continue;
    for (size_t i = 1; i < fds.size(); ++i) {
      if (fds[i].revents == 0) continue;
      const auto [from, to] = ways_[i - 1];
      if (!Forward(from, to)) shutdown(to, SHUT_WR);
    }
    if (fds[0].revents != 0) Accept();
  }
}

void SilentProxy::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  PCHECK(client >= 0);
  const int server = Socket();
  const sockaddr_in target = Loopback(target_port_);
  PCHECK(connect(server, reinterpret_cast<const sockaddr*>(&target),
                 sizeof(target)) == 0);
  ways_.emplace_back(client, server);
  ways_.emplace_back(server, client);
}

bool SilentProxy::Forward(int from, int to) {
  char buffer[1 << 16];
  const ssize_t got = read(from, buffer, sizeof(buffer));
  if (got <= 0) return false;
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t more = send(to, buffer + sent, got - sent, MSG_NOSIGNAL);
    if (more <= 0) return false;
    sent += more;
  }
  return true;
}

}  // namespace hydra
