#ifndef HYDRA_CLIENT_QUIT_KEY_H_
#define HYDRA_CLIENT_QUIT_KEY_H_

#include <termios.h>

#include <functional>
#include <thread>

#include "common/file/unique_fd.h"

namespace hydra {

// While it lives, the terminal `fd` hands out each key at once and shows none,
// and `on_quit` is called, on a thread of its own, when q is pressed; at most
// once. Then the terminal is as it was. Ctrl-C and the like stay signals. Where
// `fd` is no terminal, nothing happens. The file descriptor must outlive it.
class QuitKey {
 public:
  QuitKey(int fd, std::function<void()> on_quit);
  ~QuitKey();
  QuitKey(const QuitKey&) = delete;
  QuitKey& operator=(const QuitKey&) = delete;

 private:
  void Listen();

  const int fd_;
  const std::function<void()> on_quit_;
  termios before_ = {};
  // Readable when the thread shall end. Closed: there is none.
  UniqueFd ends_;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_QUIT_KEY_H_
