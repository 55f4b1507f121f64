#include "common/broker/channel.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/time/clock.h"

namespace hydra::broker {
namespace {

constexpr absl::Duration kLongest = absl::Minutes(1);

// A user can make opening his files take for ever: by a file system that does
// not answer, or by stopping the process that does it as him. So a call is
// given up, and those after it for a while, that they do not all wait so long.
constexpr absl::Duration kPause = absl::Seconds(10);

// None, with errno.
UniqueFd ConnectTo(const std::string& path, absl::Duration wait) {
  const timeval patience = absl::ToTimeval(wait);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return UniqueFd();
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd connection(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  // Connecting waits too, while many do.
  for (const int direction : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    (void)setsockopt(connection.get(), SOL_SOCKET, direction, &patience,
                     sizeof(patience));
  }
  if (!connection.is_open() ||
      connect(connection.get(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    // Closing it may set another.
    const int error = errno;
    connection = UniqueFd();
    errno = error;
  }
  return connection;
}

}  // namespace

Channel::Channel(std::string socket, uid_t user, absl::Duration patience)
    : socket_(std::move(socket)), user_(user), patience_(patience) {}

int Channel::Connect(absl::Time now) {
  connection_ = UniqueFd();
  if (now < rests_until_ && rests_until_ - now <= kPause) return ENOTCONN;
  connection_ = ConnectTo(socket_, patience_);
  if (!connection_.is_open()) return GiveUp(errno);
  Hello hello;
  hello.user = user_;
  Reply reply;
  Received received;
  int error = SendMessage(connection_.get(), hello);
  if (error == 0) error = ReceiveMessage(connection_.get(), &reply, &received);
  if (error != 0 || received.bytes == 0) return GiveUp(error);
  if (reply.error != 0) {
    connection_ = UniqueFd();
    return reply.error == ESRCH ? ESRCH : ENOTCONN;
  }
  connected_at_ = now;
  return 0;
}

int Channel::GiveUp(int error) {
  connection_ = UniqueFd();
  if (error == EAGAIN) rests_until_ = absl::Now() + kPause;
  return ENOTCONN;
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
  int error = sent;
  if (error == 0) error = ReceiveMessage(connection_.get(), &reply, &received);
  if (error != 0 || received.bytes == 0) return GiveUp(error);
  if (made != nullptr && !received.descriptors.empty()) {
    *made = std::move(received.descriptors.front());
  }
  return reply.error;
}

}  // namespace hydra::broker
