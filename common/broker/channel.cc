#include "common/broker/channel.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/time/clock.h"

namespace hydra::broker {
namespace {

constexpr absl::Duration kLongest = absl::Minutes(1);

UniqueFd ConnectTo(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return UniqueFd();
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd connection(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!connection.is_open() ||
      connect(connection.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    return UniqueFd();
  }
  return connection;
}

}  // namespace

Channel::Channel(std::string socket, uid_t user)
    : socket_(std::move(socket)), user_(user) {}

int Channel::Connect(absl::Time now) {
  connection_ = ConnectTo(socket_);
  if (!connection_.is_open()) return ENOTCONN;
  Hello hello;
  hello.user = user_;
  Reply reply;
  Received received;
  if (SendMessage(connection_.get(), hello) != 0 ||
      ReceiveMessage(connection_.get(), &reply, &received) != 0 ||
      received.bytes == 0) {
    connection_ = UniqueFd();
    return ENOTCONN;
  }
  if (reply.error != 0) {
    connection_ = UniqueFd();
    return reply.error == ESRCH ? ESRCH : ENOTCONN;
  }
  connected_at_ = now;
  return 0;
}

int Channel::Call(const Request& request, absl::Span<const int> descriptors,
                  UniqueFd* made) {
  absl::MutexLock lock(&mu_);
  const absl::Time now = absl::Now();
  bool is_new = false;
  if (!connection_.is_open() || now - connected_at_ > kLongest ||
      now < connected_at_) {
    if (const int error = Connect(now); error != 0) return error;
    is_new = true;
  }
  int sent = SendMessage(connection_.get(), request, descriptors);
  // It ended since the call before, and nothing was asked of it.
  if (sent == EPIPE && !is_new) {
    if (const int error = Connect(now); error != 0) return error;
    sent = SendMessage(connection_.get(), request, descriptors);
  }
  Reply reply;
  Received received;
  if (sent != 0 || ReceiveMessage(connection_.get(), &reply, &received) != 0 ||
      received.bytes == 0) {
    connection_ = UniqueFd();
    return ENOTCONN;
  }
  if (made != nullptr && !received.descriptors.empty()) {
    *made = std::move(received.descriptors.front());
  }
  return reply.error;
}

}  // namespace hydra::broker
