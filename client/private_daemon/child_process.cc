#include "client/private_daemon/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/clock/steady_time.h"
#include "glog/logging.h"

namespace hydra {
namespace {

// Runs in the child of a program with threads, so it may do nothing that takes
// a lock or memory.
[[noreturn]] void BecomeProgram(char* const* arguments, int log_fd,
                                pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  // The parent may have died before the line above.
  if (getppid() != parent) _exit(127);
  setpgid(0, 0);
  // What ends it must do so although this program may ignore it.
  signal(SIGTERM, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null_fd = open("/dev/null", O_RDONLY);
  dup2(null_fd, STDIN_FILENO);
  dup2(log_fd, STDOUT_FILENO);
  dup2(log_fd, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);
  execv(arguments[0], arguments);
  const char* const reason = strerrordesc_np(errno);
  if (write(STDERR_FILENO, reason, strlen(reason)) < 0) _exit(126);
  _exit(127);
}

int ToPollMilliseconds(absl::Duration duration) {
  const int64_t ms =
      absl::ToInt64Milliseconds(absl::Ceil(duration, absl::Milliseconds(1)));
  return static_cast<int>(std::clamp<int64_t>(ms, 0, INT_MAX));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(
    const std::vector<std::string>& arguments, const std::string& log_path) {
  const int log_fd =
      open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (log_fd < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", log_path));
  }
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);

  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) BecomeProgram(argv.data(), log_fd, parent);
  const int fork_error = errno;
  close(log_fd);
  if (pid < 0) return absl::ErrnoToStatus(fork_error, "cannot fork");
  // The child is not reaped yet, so its pid cannot be another process's.
  const int pid_fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  PCHECK(pid_fd >= 0) << "pidfd_open of a running child";
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, pid_fd));
}

ChildProcess::ChildProcess(pid_t pid, int pid_fd)
    : pid_(pid), pid_fd_(pid_fd) {}

ChildProcess::~ChildProcess() {
  Stop(absl::ZeroDuration());
  close(pid_fd_);
}

bool ChildProcess::WaitFor(absl::Duration timeout) {
  if (reaped_) return true;
  const absl::Time deadline = SteadyNow() + timeout;
  pollfd poll_fd = {pid_fd_, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&poll_fd, 1, ToPollMilliseconds(deadline - SteadyNow()));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return false;
  PCHECK(waitpid(pid_, &wait_status_, 0) == pid_);
  reaped_ = true;
  return true;
}

bool ChildProcess::Stop(absl::Duration patience) {
  if (reaped_) return true;
  kill(pid_, SIGTERM);
  if (WaitFor(patience)) return true;
  kill(pid_, SIGKILL);
  WaitFor(absl::InfiniteDuration());
  return false;
}

std::string ChildProcess::HowItEnded() const {
  if (WIFSIGNALED(wait_status_)) {
    const int signal = WTERMSIG(wait_status_);
    return absl::StrCat("was killed by signal ", signal, " (",
                        strsignal(signal), ")");
  }
  return absl::StrCat("exited with code ", WEXITSTATUS(wait_status_));
}

}  // namespace hydra
