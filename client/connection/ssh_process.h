#ifndef HYDRA_CLIENT_CONNECTION_SSH_PROCESS_H_
#define HYDRA_CLIENT_CONNECTION_SSH_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/file/file.h"

namespace hydra {

// An ssh whose standard input and output are one end of a pair of sockets. It
// may ask for passwords: the terminal stays its own. It ends when the other end
// is closed, and with this object. Not thread-safe.
class SshProcess {
 public:
  // NOT_FOUND: there is no such program. Others: what the system said.
  static absl::StatusOr<std::unique_ptr<SshProcess>> Start(
      const std::vector<std::string>& command);

  ~SshProcess();
  SshProcess(const SshProcess&) = delete;
  SshProcess& operator=(const SshProcess&) = delete;

  // The other end, which does not block. Once.
  UniqueFd TakeSocket() { return std::move(socket_); }

  // Waits until it has ended, at most so long. Returns whether it has.
  bool WaitFor(absl::Duration timeout);

  // "ssh exited with code 255: connect to host gpu1 port 22: ...", with the end
  // of what it and the program on the other side wrote to standard error. It
  // has ended.
  std::string HowItEnded() const;

 private:
  SshProcess(UniqueFd socket, UniqueFd errors);

  UniqueFd socket_;
  // A file in memory, so that nobody has to read while it runs.
  const UniqueFd errors_;
  pid_t pid_ = -1;
  UniqueFd pid_fd_;
  bool is_reaped_ = false;
  int wait_status_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_SSH_PROCESS_H_
