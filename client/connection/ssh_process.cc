#include "client/connection/ssh_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/clock/steady_time.h"

extern char** environ;

namespace hydra {
namespace {

// Of a long text only its end says what went wrong.
constexpr off_t kErrorBytes = 2000;

int Spawn(const std::vector<std::string>& command, int socket, int errors,
          pid_t* pid) {
  std::vector<char*> argv;
  for (const std::string& word : command) {
    argv.push_back(const_cast<char*>(word.c_str()));
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, socket, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, socket, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // This program blocks the signals that it waits for.
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int error =
      posix_spawnp(pid, argv[0], &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

int ToPollMilliseconds(absl::Duration duration) {
  const int64_t ms =
      absl::ToInt64Milliseconds(absl::Ceil(duration, absl::Milliseconds(1)));
  return static_cast<int>(std::clamp<int64_t>(ms, 0, INT_MAX));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SshProcess>> SshProcess::Start(
    const std::vector<std::string>& command) {
  std::array<int, 2> pair;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return absl::ErrnoToStatus(errno, "cannot make a pair of sockets");
  }
  UniqueFd here(pair[0]);
  const UniqueFd there(pair[1]);
  UniqueFd errors(memfd_create("ssh-errors", MFD_CLOEXEC));
  if (!errors.is_open() || fcntl(here.get(), F_SETFL, O_NONBLOCK) != 0) {
    return absl::ErrnoToStatus(errno, "cannot prepare to run ssh");
  }
  std::unique_ptr<SshProcess> process(
      new SshProcess(std::move(here), std::move(errors)));
  pid_t pid = -1;
  const int error = Spawn(command, there.get(), process->errors_.get(), &pid);
  if (error != 0) {
    return absl::ErrnoToStatus(error,
                               absl::StrCat("cannot run ", command.front()));
  }
  process->pid_ = pid;
  // It is not reaped yet, so its pid cannot be another process's.
  process->pid_fd_ =
      UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process->pid_fd_.is_open()) {
    return absl::ErrnoToStatus(errno, "pidfd_open of ssh");
  }
  return process;
}

SshProcess::SshProcess(UniqueFd socket, UniqueFd errors)
    : socket_(std::move(socket)), errors_(std::move(errors)) {}

SshProcess::~SshProcess() {
  if (pid_ < 0 || WaitFor(absl::ZeroDuration())) return;
  kill(pid_, SIGTERM);
  if (WaitFor(absl::Seconds(1))) return;
  kill(pid_, SIGKILL);
  (void)waitpid(pid_, &wait_status_, 0);
}

bool SshProcess::WaitFor(absl::Duration timeout) {
  if (is_reaped_) return true;
  if (!pid_fd_.is_open()) return false;
  const absl::Time deadline = SteadyNow() + timeout;
  pollfd poll_fd = {pid_fd_.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&poll_fd, 1, ToPollMilliseconds(deadline - SteadyNow()));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0 || waitpid(pid_, &wait_status_, 0) != pid_) return false;
  is_reaped_ = true;
  return true;
}

std::string SshProcess::HowItEnded() const {
  std::string how =
      WIFSIGNALED(wait_status_)
          ? absl::StrCat("ssh was killed by signal ", WTERMSIG(wait_status_),
                         " (", strsignal(WTERMSIG(wait_status_)), ")")
          : absl::StrCat("ssh exited with code ", WEXITSTATUS(wait_status_));
  const off_t size = lseek(errors_.get(), 0, SEEK_END);
  std::string text(std::clamp<off_t>(size, 0, kErrorBytes), '\0');
  const ssize_t read = pread(errors_.get(), text.data(), text.size(),
                             size - static_cast<off_t>(text.size()));
  text.resize(std::max<ssize_t>(read, 0));
  // ssh ends its lines with both.
  const std::vector<std::string> lines =
      absl::StrSplit(text, absl::ByAnyChar("\r\n"), absl::SkipWhitespace());
  if (!lines.empty()) absl::StrAppend(&how, ": ", absl::StrJoin(lines, "; "));
  return how;
}

}  // namespace hydra
