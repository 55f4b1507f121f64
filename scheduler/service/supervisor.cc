#include "scheduler/service/supervisor.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "glog/logging.h"

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

// 0 and an error message: it could not be started.
pid_t Spawn(const Supervisor::Process& process, std::string& error) {
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
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int result = posix_spawn(&pid, arguments[0], nullptr, &attributes,
                                 arguments.data(), environment.data());
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

Supervisor::~Supervisor() { Stop(absl::ZeroDuration()); }

void Supervisor::Loop() {
  absl::Duration pause = kFirstPause;
  while (true) {
    const absl::Time start = absl::Now();
    RunOnce();
    if (absl::Now() - start > kHealthyLife) pause = kFirstPause;
    absl::MutexLock lock(&mu_);
    mu_.AwaitWithTimeout(absl::Condition(&stopping_), pause);
    if (stopping_) {
      ended_ = true;
      return;
    }
    pause = std::min(2 * pause, kLongestPause);
  }
}

void Supervisor::RunOnce() {
  const Process process = callbacks_.next();
  std::string error;
  pid_t pid = 0;
  {
    absl::MutexLock lock(&mu_);
    if (stopping_) return;
    pid = Spawn(process, error);
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
  callbacks_.died(HowItEnded(status));
}

void Supervisor::Kill(absl::string_view reason) {
  absl::MutexLock lock(&mu_);
  if (pid_ == 0) return;
  LOG(WARNING) << "killing process " << pid_ << ": " << reason;
  kill(pid_, SIGKILL);
}

void Supervisor::StopRestarting() {
  absl::MutexLock lock(&mu_);
  stopping_ = true;
}

void Supervisor::Stop(absl::Duration patience) {
  StopRestarting();
  {
    absl::MutexLock lock(&mu_);
    if (!mu_.AwaitWithTimeout(absl::Condition(&ended_), patience) &&
        pid_ != 0) {
      kill(pid_, SIGKILL);
    }
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace hydra
