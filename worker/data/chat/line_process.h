#ifndef HYDRA_WORKER_DATA_CHAT_LINE_PROCESS_H_
#define HYDRA_WORKER_DATA_CHAT_LINE_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/file/file.h"
#include "worker/task/task_control.h"

namespace hydra {

// A program that answers each line with a line, and that nobody trusts. It may
// use so much memory and time, write no file, start no other process (unless it
// is root's), and has none of this process's files. It ends with this object,
// and with the thread that started it. Its standard error is thrown away.
//
// Not thread-safe. Blocks, but never for long without telling `control`.
class LineProcess {
 public:
  struct Limits {
    // CPU time for one answer, the start included in the first.
    absl::Duration cpu = absl::Seconds(30);
    int64_t memory_bytes = int64_t{2} << 30;
    // Of a line that it answers.
    int64_t answer_bytes = int64_t{256} << 20;
  };

  // `arguments` begins with the program's path. Whether there is such a program
  // shows with the first answer.
  static absl::StatusOr<std::unique_ptr<LineProcess>> Start(
      const std::vector<std::string>& arguments, const Limits& limits);

  ~LineProcess();
  LineProcess(const LineProcess&) = delete;
  LineProcess& operator=(const LineProcess&) = delete;

  // Hands it a line, which has no end of line, and returns what it answers.
  //
  // RESOURCE_EXHAUSTED: it takes more than its limits say.
  // NOT_FOUND: there is no such program.
  // UNAVAILABLE: it ended, or its answer was no line.
  // ABORTED: `control` says so.
  // After an error it is gone, or no longer to be asked.
  absl::StatusOr<std::string> Ask(absl::string_view line, TaskControl& control);

 private:
  LineProcess(pid_t pid, UniqueFd socket, const Limits& limits)
      : pid_(pid), socket_(std::move(socket)), limits_(limits) {}

  // Waits until the socket is ready for `events` of poll(2).
  absl::Status Await(short events, TaskControl& control);
  absl::Status Send(absl::string_view bytes, TaskControl& control);
  absl::StatusOr<std::string> ReadLine(TaskControl& control);
  // Why it no longer answers.
  absl::Status WhyGone();
  absl::Duration CpuTime() const;

  pid_t pid_;
  UniqueFd socket_;
  const Limits limits_;
  // What it had used when it was asked last.
  absl::Duration cpu_before_ = absl::ZeroDuration();
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_CHAT_LINE_PROCESS_H_
