#include "common/broker/files_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "common/broker/service.h"
#include "common/file/unique_fd.h"
#include "glog/logging.h"

namespace hydra::broker {

FilesProcess::FilesProcess(const std::string& socket) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  CHECK_LT(socket.size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, socket.data(), socket.size());
  const UniqueFd listening(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  PCHECK(bind(listening.get(), reinterpret_cast<sockaddr*>(&address),
              sizeof(address)) == 0)
      << socket;
  PCHECK(listen(listening.get(), 16) == 0);
  pid_ = fork();
  PCHECK(pid_ >= 0);
  if (pid_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)Serve(listening, geteuid());
  _exit(1);
}

FilesProcess::~FilesProcess() { Kill(); }

void FilesProcess::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace hydra::broker
