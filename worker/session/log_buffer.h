#ifndef HYDRA_WORKER_SESSION_LOG_BUFFER_H_
#define HYDRA_WORKER_SESSION_LOG_BUFFER_H_

#include <cstdint>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

enum class LogSeverity { kInfo, kWarning, kError };

// What a log line is about.
struct LogContext {
  JobId job;
  // -1: belongs to no step.
  int64_t step = -1;
  TaskId task;
};

// Keeps job-tagged log lines until the daemon has them: as they are, but for
// bytes that are not UTF-8, which become U+FFFD. When it is full the oldest
// line makes room, and the line behind the gap says how many are missing.
//
// Thread-safe. Nothing blocks.
class LogBuffer {
 public:
  struct Options {
    int64_t max_lines = 4096;

    // Of text. A longer line is cut to fit, between two characters.
    int64_t max_bytes = int64_t{1} << 20;
  };

  explicit LogBuffer(const Options& options) : options_(options) {}

  void Add(LogSeverity severity, const LogContext& context,
           absl::string_view text, absl::Time now);

  // Forgets the lines up to `sequence`. A number that was never given out
  // forgets no later line.
  void Acknowledge(uint64_t sequence);

  // Appends the oldest lines to `report`, about `max_bytes` of text but at
  // least one line. The rest follows once these are acknowledged.
  void Fill(int64_t max_bytes, worker::v1::WorkerReport& report) const;

 private:
  void DropOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Options options_;
  mutable absl::Mutex mu_;
  // By sequence number. Dropped lines are always older than the kept ones.
  std::deque<worker::v1::JobLogLine> lines_ ABSL_GUARDED_BY(mu_);
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t next_sequence_ ABSL_GUARDED_BY(mu_) = 1;
  // Dropped lines that the next line must tell of, if none is kept.
  int64_t dropped_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_LOG_BUFFER_H_
