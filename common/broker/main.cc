// hydra-files: opens files for hydrad and its workers as the users whose jobs
// name them (service.h). Started by systemd, with a socket that listens.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "absl/status/status.h"
#include "common/broker/service.h"
#include "common/file/unique_fd.h"

namespace hydra::broker {
namespace {

// sd_listen_fds(3): the first socket that was handed over.
constexpr int kFirstSocket = 3;

int Main() {
  const char* const process = std::getenv("LISTEN_PID");
  const char* const count = std::getenv("LISTEN_FDS");
  int type = 0;
  socklen_t bytes = sizeof(type);
  if (process == nullptr || std::atol(process) != getpid() ||
      count == nullptr || std::strcmp(count, "1") != 0 ||
      getsockopt(kFirstSocket, SOL_SOCKET, SO_TYPE, &type, &bytes) != 0 ||
      type != SOCK_SEQPACKET) {
    std::cerr << "hydra-files is started by systemd, with one socket of "
                 "sequential packets: see hydra-files.socket\n";
    return 2;
  }
  const UniqueFd socket(kFirstSocket);
  const absl::Status ended = Serve(socket, geteuid());
  std::cerr << "hydra-files: " << ended.message() << "\n";
  return 1;
}

}  // namespace
}  // namespace hydra::broker

int main() { return hydra::broker::Main(); }
