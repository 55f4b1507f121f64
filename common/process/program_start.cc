#include "common/process/program_start.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/file/working_directory.h"

namespace hydra {
namespace {

constexpr char kNothing[] = "/dev/null";

// Of strings that outlive it; null ends it.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

absl::StatusOr<pid_t> StartProgram(const ProgramStart& program) {
  // The daemon's signal mask is not for its children, and a write to a pipe
  // that nobody reads ends those that know nothing of it.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  // A Ctrl-C in the daemon's terminal is not for them either.
  posix_spawnattr_setpgroup(&attributes, 0);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP;
  if (program.has_own_streams) {
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    flags |= POSIX_SPAWN_SETSIGDEF;
  }
  posix_spawnattr_setflags(&attributes, flags);
  // Nor are the files that it happens to have open.
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  if (program.has_own_streams) {
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, kNothing, O_RDONLY,
                                     0);
    for (int stream : {STDOUT_FILENO, STDERR_FILENO}) {
      if (program.error_fd >= 0) {
        posix_spawn_file_actions_adddup2(&files, program.error_fd, stream);
      } else {
        posix_spawn_file_actions_addopen(&files, stream, kNothing, O_WRONLY, 0);
      }
    }
  } else if (program.error_fd >= 0) {
    posix_spawn_file_actions_adddup2(&files, program.error_fd, STDERR_FILENO);
  }
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  // LibTorch's mathematics ends a process whose working directory was removed.
  if (!WorkingDirectory().ok()) {
    posix_spawn_file_actions_addchdir_np(&files, "/");
  }
  pid_t pid = 0;
  const int result = posix_spawn(
      &pid, program.arguments[0].c_str(), &files, &attributes,
      Pointers(program.arguments).data(), Pointers(program.environment).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (result == 0) return pid;
  return absl::ErrnoToStatus(
      result, absl::StrCat("cannot start ", program.arguments[0]));
}

std::string HowItEnded(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return absl::StrCat("killed by signal ", WTERMSIG(wait_status), " (",
                        strsignal(WTERMSIG(wait_status)), ")");
  }
  return absl::StrCat("ended with code ", WEXITSTATUS(wait_status));
}

}  // namespace hydra
