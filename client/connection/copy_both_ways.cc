#include "client/connection/copy_both_ways.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace hydra {
namespace {

// While it lives, reading and writing `fd` does not block.
class NonBlocking {
 public:
  explicit NonBlocking(int fd) : fd_(fd), flags_(fcntl(fd, F_GETFL)) {
    (void)fcntl(fd_, F_SETFL, flags_ | O_NONBLOCK);
  }
  ~NonBlocking() { (void)fcntl(fd_, F_SETFL, flags_); }
  NonBlocking(const NonBlocking&) = delete;
  NonBlocking& operator=(const NonBlocking&) = delete;

 private:
  const int fd_;
  const int flags_;
};

bool TryAgain(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// One way, with what was read and is not written yet.
class Way {
 public:
  Way(int from, int to) : from_(from), to_(to) {}

  // What it waits for: something to read, or room for what was read.
  pollfd Awaited() const {
    if (is_over()) return {-1, 0, 0};
    if (Pending() > 0) return {to_, POLLOUT, 0};
    return {from_, POLLIN, 0};
  }

  absl::Status Go() {
    if (Pending() == 0) return Read();
    return Write();
  }

  // All that there was is written.
  bool is_over() const { return has_ended_ && Pending() == 0; }

  // Nobody takes what is left.
  void GiveUp() {
    has_ended_ = true;
    begin_ = end_;
  }

 private:
  size_t Pending() const { return end_ - begin_; }

  absl::Status Read() {
    const ssize_t count = read(from_, buffer_.data(), buffer_.size());
    if (count < 0 && TryAgain(errno)) return absl::OkStatus();
    // The other side went away in the middle: what ends is the same.
    if (count < 0 && errno != ECONNRESET) {
      return absl::ErrnoToStatus(errno, "cannot read");
    }
    begin_ = 0;
    end_ = count > 0 ? count : 0;
    has_ended_ = count <= 0;
    return absl::OkStatus();
  }

  absl::Status Write() {
    // A pipe is no socket.
    ssize_t count = send(to_, buffer_.data() + begin_, Pending(), MSG_NOSIGNAL);
    if (count < 0 && errno == ENOTSOCK) {
      count = write(to_, buffer_.data() + begin_, Pending());
    }
    if (count < 0 && TryAgain(errno)) return absl::OkStatus();
    if (count < 0) return absl::ErrnoToStatus(errno, "cannot write");
    begin_ += count;
    return absl::OkStatus();
  }

  const int from_;
  const int to_;
  std::array<char, 64 * 1024> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool has_ended_ = false;
};

}  // namespace

absl::Status CopyBothWays(int in, int out, int socket) {
  const NonBlocking in_does_not_block(in);
  const NonBlocking out_does_not_block(out);
  const NonBlocking socket_does_not_block(socket);
  Way to_socket(in, socket);
  Way from_socket(socket, out);
  bool is_told = false;
  while (!from_socket.is_over()) {
    std::array<pollfd, 2> awaited = {to_socket.Awaited(),
                                     from_socket.Awaited()};
    if (poll(awaited.data(), awaited.size(), -1) < 0 && errno != EINTR) {
      return absl::ErrnoToStatus(errno, "cannot poll");
    }
    // Who does not read may still have something to say.
    if (awaited[0].revents != 0 && !to_socket.Go().ok()) to_socket.GiveUp();
    if (to_socket.is_over() && !is_told) {
      is_told = true;
      (void)shutdown(socket, SHUT_WR);
    }
    if (awaited[1].revents == 0) continue;
    if (const absl::Status went = from_socket.Go(); !went.ok()) return went;
  }
  return absl::OkStatus();
}

}  // namespace hydra
