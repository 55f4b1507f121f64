#include "scheduler/notify/notice_program.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/clock/steady_time.h"
#include "common/process/last_words.h"
#include "common/process/program_start.h"
#include "common/text/printable.h"
#include "glog/logging.h"

namespace hydra {
namespace {

// A program that sends a message takes tenths of a second.
constexpr absl::Duration kLookEvery = absl::Milliseconds(20);

// Of facts that the finder made: "HYDRA_EVENT=failed HYDRA_JOB_ID=j7".
std::string About(const std::vector<std::string>& facts) {
  std::string about;
  for (const std::string& fact : facts) {
    if (fact.rfind("HYDRA_EVENT=", 0) == 0 ||
        fact.rfind("HYDRA_JOB_ID=", 0) == 0 ||
        fact.rfind("HYDRA_SWEEP_ID=", 0) == 0) {
      absl::StrAppend(&about, about.empty() ? "" : " ", fact);
    }
  }
  return about;
}

}  // namespace

absl::Status CheckNoticeProgram(const std::string& path) {
  struct stat facts = {};
  if (stat(path.c_str(), &facts) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("notify: cannot look at ", Quoted(path)));
  }
  if (!S_ISREG(facts.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("notify: ", Quoted(path), " is no file"));
  }
  if (access(path.c_str(), X_OK) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("notify: hydrad may not run ", Quoted(path),
                     "; make it executable: chmod a+x"));
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
      (facts.st_uid != 0 && facts.st_uid != geteuid())) {
    return absl::PermissionDeniedError(absl::StrCat(
        "notify: others than root and hydrad's user may write ", Quoted(path),
        ", and so do what hydrad may; chmod go-w, and chown root"));
  }
  return absl::OkStatus();
}

NoticeProgram::NoticeProgram(Options options) : options_(std::move(options)) {
  for (int i = 0; i < options_.at_once; ++i) {
    threads_.emplace_back([this] { Loop(); });
  }
}

NoticeProgram::~NoticeProgram() { Stop(absl::ZeroDuration()); }

void NoticeProgram::Tell(std::vector<std::string> facts) {
  absl::MutexLock lock(&mu_);
  if (is_stopping()) return;
  if (waiting_.size() >= options_.most_waiting) {
    ++untold_;
    LOG_IF(WARNING, untold_ == 1)
        << "notify: " << options_.most_waiting
        << " notices wait for their program; those that come now are left out";
    return;
  }
  waiting_.push_back(std::move(facts));
}

void NoticeProgram::Stop(absl::Duration patience) {
  {
    absl::MutexLock lock(&mu_);
    stop_by_ = std::min(stop_by_, SteadyNow() + patience);
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  absl::MutexLock lock(&mu_);
  LOG_IF(WARNING, !waiting_.empty())
      << "notify: hydrad ended before it could tell of " << waiting_.size()
      << " things";
  waiting_.clear();
}

void NoticeProgram::Loop() {
  while (true) {
    std::vector<std::string> facts;
    {
      absl::MutexLock lock(&mu_);
      const auto has_work = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
        return is_stopping() || !waiting_.empty();
      };
      mu_.Await(absl::Condition(&has_work));
      if (waiting_.empty() || SteadyNow() >= stop_by_) return;
      facts = std::move(waiting_.front());
      waiting_.pop_front();
      if (waiting_.empty() && untold_ > 0) {
        LOG(WARNING) << "notify: " << untold_ << " notices were left out";
        untold_ = 0;
      }
    }
    Run(std::move(facts));
  }
}

void NoticeProgram::Run(std::vector<std::string> facts) {
  const std::string about = About(facts);
  const ErrorText output;
  ProgramStart program;
  program.arguments = {options_.path};
  program.environment = std::move(facts);
  program.environment.push_back("PATH=/usr/local/bin:/usr/bin:/bin");
  program.environment.push_back("LANG=C.UTF-8");
  program.error_fd = output.fd();
  program.has_own_streams = true;
  const absl::StatusOr<pid_t> pid = StartProgram(program);
  if (!pid.ok()) {
    LOG(WARNING) << "notify: " << pid.status().message() << " (" << about
                 << ")";
    return;
  }
  const bool ended = AwaitEnd(*pid);
  // With what it started and left; its number is its group's until it is
  // reaped.
  kill(-*pid, SIGKILL);
  int status = 0;
  while (waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  const std::string words = output.Tail();
  LOG(WARNING) << "notify: " << options_.path << ": "
               << (ended ? HowItEnded(status)
                         : std::string("took too long and was killed"))
               << " (" << about << ")" << (words.empty() ? "" : ": ")
               << PrintableLines(words);
}

bool NoticeProgram::AwaitEnd(pid_t pid) {
  const absl::Time limit = SteadyNow() + options_.limit;
  const auto is_late = [&] {
    absl::MutexLock lock(&mu_);
    return SteadyNow() >= std::min(limit, stop_by_);
  };
  while (true) {
    siginfo_t info = {};
    if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == pid) {
      return true;
    }
    if (is_late()) return false;
    absl::SleepFor(kLookEvery);
  }
}

}  // namespace hydra
