#include "tests/abuse/other_user.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "glog/logging.h"

namespace hydra {

bool CanBecomeOtherUser() {
  const pid_t pid = fork();
  PCHECK(pid >= 0);
  if (pid == 0) {
    _exit(setgid(kOtherUser) == 0 && setuid(kOtherUser) == 0 ? 0 : 1);
  }
  int status = 0;
  PCHECK(waitpid(pid, &status, 0) == pid);
  return status == 0;
}

OtherUser::OtherUser(const std::function<int()>& work) {
  int ends[2];
  PCHECK(pipe(ends) == 0);
  const bool become = CanBecomeOtherUser();
  pid_ = fork();
  PCHECK(pid_ >= 0);
  if (pid_ == 0) {
    // Before the user changes, which would undo it.
    rlimit files = {};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (become && (setgid(kOtherUser) != 0 || setuid(kOtherUser) != 0)) {
      _exit(1);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int result = work();
    if (write(ends[1], &result, sizeof(result)) != sizeof(result)) _exit(1);
    while (true) pause();
  }
  close(ends[1]);
  PCHECK(read(ends[0], &result_, sizeof(result_)) == sizeof(result_))
      << "the other user's process ended";
  close(ends[0]);
}

OtherUser::~OtherUser() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

int ConnectIdly(const std::string& path, int wanted) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  int connected = 0;
  for (int i = 0; i < wanted; ++i) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) break;
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) == 0) {
      ++connected;
    }
  }
  return connected;
}

}  // namespace hydra
