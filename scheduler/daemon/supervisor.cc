#include "scheduler/daemon/supervisor.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/clock/steady_time.h"
#include "common/process/last_words.h"
#include "common/process/program_start.h"
#include "common/text/printable.h"
#include "glog/logging.h"

extern char** environ;

namespace hydra {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(10);
// A process that lived longer than this did not fail at its start.
constexpr absl::Duration kHealthyLife = absl::Seconds(10);

// With this process's environment behind its own.
ProgramStart StartOf(const Supervisor::Process& process, int error_fd) {
  ProgramStart program;
  program.arguments = process.arguments;
  program.environment = process.environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    program.environment.push_back(*variable);
  }
  program.error_fd = error_fd;
  return program;
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
  absl::StatusOr<pid_t> started;
  {
    absl::MutexLock lock(&mu_);
    if (stopping_.HasHappened()) return;
    started = StartProgram(StartOf(process, errors.fd()));
    pid_ = started.value_or(0);
  }
  if (!started.ok()) {
    callbacks_.died(std::string(started.status().message()));
    return;
  }
  const pid_t pid = *started;
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
