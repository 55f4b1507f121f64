#include "worker/data/chat/line_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/data/posix_file.h"

namespace hydra {
namespace {

constexpr int kPauseMs = 100;
constexpr size_t kPieceBytes = 1 << 16;
constexpr rlim_t kMostFiles = 64;
// As a shell has it.
constexpr int kNoProgram = 127;

void Limit(int resource, rlim_t most) {
  const rlimit limit = {most, most};
  setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

// What the new process does before it becomes the program. Other threads may
// hold locks, so it calls the system alone.
[[noreturn]] void BecomeProgram(int socket, pid_t parent, int64_t memory_bytes,
                                char* const* arguments,
                                char* const* environment) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have died before.
  if (getppid() != parent) _exit(kNoProgram);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nowhere = open("/dev/null", O_WRONLY);
  dup2(socket, STDIN_FILENO);
  dup2(socket, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);
  Limit(RLIMIT_AS, memory_bytes);
  Limit(RLIMIT_FSIZE, 0);
  Limit(RLIMIT_CORE, 0);
  Limit(RLIMIT_NOFILE, kMostFiles);
  Limit(RLIMIT_NPROC, 0);
  if (chdir("/") == 0) execve(arguments[0], arguments, environment);
  _exit(kNoProgram);
}

std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(&text[0]);
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LineProcess>> LineProcess::Start(
    const std::vector<std::string>& arguments, const Limits& limits) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    return ErrnoStatus("cannot make a socket for", arguments[0]);
  }
  UniqueFd ours(sockets[0]);
  const UniqueFd its(sockets[1]);
  std::vector<std::string> argument_texts = arguments;
  // The time of day is this machine's.
  std::vector<std::string> variables = {"LC_ALL=C.UTF-8"};
  if (const char* zone = getenv("TZ")) {
    variables.push_back(absl::StrCat("TZ=", zone));
  }
  const std::vector<char*> argv = PointersTo(argument_texts);
  const std::vector<char*> environment = PointersTo(variables);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return ErrnoStatus("cannot start", arguments[0]);
  if (pid == 0) {
    BecomeProgram(its.get(), parent, limits.memory_bytes, argv.data(),
                  environment.data());
  }
  return std::unique_ptr<LineProcess>(
      new LineProcess(pid, std::move(ours), limits));
}

LineProcess::~LineProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

absl::StatusOr<std::string> LineProcess::Ask(absl::string_view line,
                                             TaskControl& control) {
  cpu_before_ = CpuTime();
  absl::Status sent = Send(line, control);
  if (sent.ok()) sent = Send("\n", control);
  if (!sent.ok()) return sent;
  return ReadLine(control);
}

absl::Status LineProcess::Await(short events, TaskControl& control) {
  while (true) {
    pollfd ready = {socket_.get(), events, 0};
    const int count = poll(&ready, 1, kPauseMs);
    if (count > 0) return absl::OkStatus();
    if (count < 0 && errno != EINTR) {
      return absl::ErrnoToStatus(errno, "cannot wait for a process");
    }
    if (absl::Status on = control.Advance(); !on.ok()) return on;
    if (CpuTime() - cpu_before_ > limits_.cpu) {
      return absl::ResourceExhaustedError(
          absl::StrCat("takes more than ", absl::FormatDuration(limits_.cpu),
                       " of CPU time"));
    }
  }
}

absl::Status LineProcess::Send(absl::string_view bytes, TaskControl& control) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(),
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(sent);
      continue;
    }
    if (errno == EPIPE || errno == ECONNRESET) return WhyGone();
    if (errno != EAGAIN && errno != EINTR) {
      return absl::ErrnoToStatus(errno, "cannot send to a process");
    }
    if (absl::Status ready = Await(POLLOUT, control); !ready.ok()) return ready;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> LineProcess::ReadLine(TaskControl& control) {
  std::string line;
  while (true) {
    if (absl::Status ready = Await(POLLIN, control); !ready.ok()) return ready;
    const size_t begin = line.size();
    line.resize(begin + kPieceBytes);
    const ssize_t count = recv(socket_.get(), &line[begin], kPieceBytes, 0);
    line.resize(begin + std::max<ssize_t>(count, 0));
    if (count == 0 || (count < 0 && errno == ECONNRESET)) return WhyGone();
    if (count < 0 && errno != EINTR) {
      return absl::ErrnoToStatus(errno, "cannot read from a process");
    }
    if (!line.empty() && line.back() == '\n') {
      line.pop_back();
      return line;
    }
    if (static_cast<int64_t>(line.size()) > limits_.answer_bytes) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "makes more than ", limits_.answer_bytes, " bytes of text"));
    }
  }
}

absl::Status LineProcess::WhyGone() {
  if (pid_ <= 0) return absl::UnavailableError("had its process ended before");
  int status = 0;
  pid_t ended;
  do {
    // Whoever closes its output without ending is ended.
    kill(pid_, SIGKILL);
    ended = waitpid(pid_, &status, 0);
  } while (ended < 0 && errno == EINTR);
  pid_ = -1;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoProgram) {
    return absl::NotFoundError("there is no such program");
  }
  return absl::UnavailableError(
      WIFSIGNALED(status)
          ? absl::StrCat("had its process ended by signal ", WTERMSIG(status))
          : absl::StrCat("ended its process with code ", WEXITSTATUS(status)));
}

absl::Duration LineProcess::CpuTime() const {
  clockid_t clock;
  timespec time;
  if (pid_ <= 0 || clock_getcpuclockid(pid_, &clock) != 0 ||
      clock_gettime(clock, &time) != 0) {
    return absl::ZeroDuration();
  }
  return absl::DurationFromTimespec(time);
}

}  // namespace hydra
