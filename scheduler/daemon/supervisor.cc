#include "scheduler/daemon/supervisor.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/clock/steady_time.h"
#include "common/file/working_directory.h"
#include "common/text/printable.h"
#include "glog/logging.h"
#include "scheduler/daemon/last_words.h"

extern char** environ;

namespace hydra {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(10);
// A process that lived longer than this did not fail at its start.
constexpr absl::Duration kHealthyLife = absl::Seconds(10);

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  return pointers;
}

// 0 and an error message: it could not be started. `error_fd` becomes its
// standard error, unless it is -1.
pid_t Spawn(const Supervisor::Process& process, int error_fd,
            std::string& error) {
  std::vector<char*> arguments = Pointers(process.arguments);
  arguments.push_back(nullptr);
  std::vector<char*> environment = Pointers(process.environment);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    environment.push_back(*variable);
  }
  environment.push_back(nullptr);
  // The daemon's signal mask is not for its children.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  // A Ctrl-C in the daemon's terminal is not for them either.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  // Nor are the files that it happens to have open.
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  if (error_fd >= 0) {
    posix_spawn_file_actions_adddup2(&files, error_fd, STDERR_FILENO);
  }
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  // LibTorch's mathematics ends a process whose working directory was removed.
  if (!WorkingDirectory().ok()) {
    posix_spawn_file_actions_addchdir_np(&files, "/");
  }
  pid_t pid = 0;
  const int result = posix_spawn(&pid, arguments[0], &files, &attributes,
                                 arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (result == 0) return pid;
  error = absl::StrCat("cannot start ", process.arguments[0], ": ",
                       std::strerror(result));
  return 0;
}

std::string HowItEnded(int status) {
  if (WIFSIGNALED(status)) {
    return absl::StrCat("killed by signal ", WTERMSIG(status), " (",
                        strsignal(WTERMSIG(status)), ")");
  }
  return absl::StrCat("ended with code ", WEXITSTATUS(status));
}

}  // namespace

Supervisor::Supervisor(Callbacks callbacks)
    : callbacks_(std::move(callbacks)), thread_([this] { Loop(); }) {}

Supervisor::Supervisor(Callbacks callbacks, ForeignProcess adopted)
    : callbacks_(std::move(callbacks)),
      adopted_(std::move(adopted)),
      thread_([this] {
        AwaitAdopted();
        Loop();
      }) {}

Supervisor::~Supervisor() { Stop(absl::ZeroDuration()); }

void Supervisor::AwaitAdopted() {
  const ForeignProcess* process = nullptr;
  {
    absl::MutexLock lock(&mu_);
    // Only this thread takes it away.
    process = &*adopted_;
  }
  process->AwaitEnd();
  {
    absl::MutexLock lock(&mu_);
    adopted_.reset();
  }
  callbacks_.died("ended; an earlier daemon had started it");
}

void Supervisor::Loop() {
  absl::Duration pause = kFirstPause;
  while (!stopping_.HasHappened()) {
    const absl::Time start = SteadyNow();
    RunOnce();
    if (SteadyNow() - start > kHealthyLife) pause = kFirstPause;
    stopping_.WaitFor(pause);
    pause = std::min(2 * pause, kLongestPause);
  }
  ended_.Notify();
}

void Supervisor::RunOnce() {
  const Process process = callbacks_.next();
  const ErrorText errors;
  std::string error;
  pid_t pid = 0;
  {
    absl::MutexLock lock(&mu_);
    if (stopping_.HasHappened()) return;
    pid = Spawn(process, errors.fd(), error);
    pid_ = pid;
  }
  if (pid == 0) {
    callbacks_.died(error);
    return;
  }
  callbacks_.started(pid);
  siginfo_t info;
  while (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  int status = 0;
  {
    absl::MutexLock lock(&mu_);
    pid_ = 0;
    waitpid(pid, &status, 0);
  }
  const std::string text = errors.Tail();
  if (!text.empty()) {
    LOG(INFO) << "process " << pid << " wrote:\n" << PrintableLines(text);
  }
  const std::string words = LastWords(text);
  callbacks_.died(
      absl::StrCat(HowItEnded(status), words.empty() ? "" : ": ", words));
}

void Supervisor::KillLocked() {
  if (pid_ != 0) kill(pid_, SIGKILL);
  if (adopted_.has_value()) adopted_->Kill();
}

void Supervisor::Kill(absl::string_view reason) {
  absl::MutexLock lock(&mu_);
  if (pid_ == 0 && !adopted_.has_value()) return;
  LOG(WARNING) << "killing process " << (pid_ != 0 ? pid_ : adopted_->pid())
               << ": " << reason;
  KillLocked();
}

void Supervisor::StopRestarting() { stopping_.Notify(); }

void Supervisor::Stop(absl::Duration patience) {
  StopRestarting();
  if (!ended_.WaitFor(patience)) {
    absl::MutexLock lock(&mu_);
    KillLocked();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace hydra
