#include "common/process/process_start.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <initializer_list>

namespace hydra {
namespace {

// Whether it is of a kind that nobody passes on as a stream: an eventfd, say.
bool IsTaken(int fd) {
  struct stat found = {};
  return fstat(fd, &found) == 0 && (found.st_mode & S_IFMT) == 0;
}

}  // namespace

void OpenStandardStreams() {
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest number that is free is this one.
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", O_RDWR);
  }
}

void RunAgainIfStreamsAreTaken(char* const* argv) {
  bool taken = false;
  for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (!IsTaken(fd)) continue;
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, fd) < 0) return;
    close(null);
    taken = true;
  }
  char program[PATH_MAX] = {};
  if (taken && readlink("/proc/self/exe", program, sizeof(program) - 1) > 0) {
    execv(program, argv);
  }
}

void MakeWriteSignalsErrors() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

bool IsIgnored(int signal) {
  struct sigaction action = {};
  return sigaction(signal, nullptr, &action) == 0 &&
         action.sa_handler == SIG_IGN;
}

}  // namespace hydra
