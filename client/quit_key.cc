#include "client/quit_key.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace hydra {

QuitKey::QuitKey(int fd, std::function<void()> on_quit)
    : fd_(fd), on_quit_(std::move(on_quit)) {
  if (tcgetattr(fd_, &before_) != 0) return;
  ends_ = UniqueFd(eventfd(0, EFD_CLOEXEC));
  if (!ends_.is_open()) return;
  termios keys = before_;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  keys.c_cc[VMIN] = 1;
  keys.c_cc[VTIME] = 0;
  tcsetattr(fd_, TCSANOW, &keys);
  thread_ = std::thread([this] { Listen(); });
}

QuitKey::~QuitKey() {
  if (!thread_.joinable()) return;
  eventfd_write(ends_.get(), 1);
  thread_.join();
  tcsetattr(fd_, TCSANOW, &before_);
}

void QuitKey::Listen() {
  while (true) {
    pollfd ready[] = {{fd_, POLLIN, 0}, {ends_.get(), POLLIN, 0}};
    if (poll(ready, 2, -1) < 0 && errno != EINTR) return;
    if (ready[1].revents != 0) return;
    if (ready[0].revents == 0) continue;
    char key = 0;
    // The terminal is gone: a signal says so.
    if (read(fd_, &key, 1) != 1) return;
    if (key != 'q' && key != 'Q') continue;
    on_quit_();
    return;
  }
}

}  // namespace hydra
