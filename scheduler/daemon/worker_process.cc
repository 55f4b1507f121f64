#include "scheduler/daemon/worker_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "glog/logging.h"

namespace hydra {
namespace {

absl::Status Gone(pid_t pid) {
  return absl::NotFoundError(absl::StrCat("there is no process ", pid));
}

}  // namespace

absl::StatusOr<int64_t> StartTimeOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  std::stringstream text;
  text << file.rdbuf();
  const std::string stat = text.str();
  // The program's name, in parentheses, may hold anything; what follows does
  // not. The start time is field 22, the name is field 2.
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return Gone(pid);
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(stat).substr(name_end + 2), ' ');
  int64_t start_time = 0;
  if (fields.size() < 20 || !absl::SimpleAtoi(fields[19], &start_time)) {
    return Gone(pid);
  }
  // A process that nobody has waited for yet is as good as gone.
  if (fields[0] == "Z" || fields[0] == "X") return Gone(pid);
  return start_time;
}

absl::StatusOr<ForeignProcess> ForeignProcess::Open(pid_t pid,
                                                    int64_t start_time) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) {
    return errno == ESRCH ? Gone(pid)
                          : absl::ErrnoToStatus(
                                errno, absl::StrCat("pidfd_open of ", pid));
  }
  ForeignProcess process(pid, fd);
  // Asked after the pidfd is there: now the id can no longer change hands.
  const absl::StatusOr<int64_t> found = StartTimeOf(pid);
  if (!found.ok() || *found != start_time) return Gone(pid);
  return process;
}

ForeignProcess::~ForeignProcess() {
  if (fd_ >= 0) close(fd_);
}

void ForeignProcess::Kill() const {
  if (syscall(SYS_pidfd_send_signal, fd_, SIGKILL, nullptr, 0) != 0) {
    PCHECK(errno == ESRCH) << "cannot kill process " << pid_;
  }
}

void ForeignProcess::AwaitEnd() const {
  pollfd readable = {fd_, POLLIN, 0};
  while (poll(&readable, 1, -1) != 1) PCHECK(errno == EINTR);
}

}  // namespace hydra
