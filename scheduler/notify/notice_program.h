#ifndef HYDRA_SCHEDULER_NOTIFY_NOTICE_PROGRAM_H_
#define HYDRA_SCHEDULER_NOTIFY_NOTICE_PROGRAM_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace hydra {

// Whether a program can be run, and only root and this process's user can
// change what it does.
//
// NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION: it is not there; it may
// not be run, or others may write it; it is no file. The message names the
// remedy.
absl::Status CheckNoticeProgram(const std::string& path);

// Runs a program of the admin's for each of many things to tell, with the facts
// in its environment and no shell in between. Thread-safe.
class NoticeProgram {
 public:
  struct Options {
    std::string path;
    // So many run at once.
    int at_once = 2;
    // One that takes longer is killed, with what it started.
    absl::Duration limit = absl::Minutes(1);
    // What comes while so many wait is not told, and the log says so.
    size_t most_waiting = 1000;
  };
  explicit NoticeProgram(Options options);
  // Stops it.
  ~NoticeProgram();
  NoticeProgram(const NoticeProgram&) = delete;
  NoticeProgram& operator=(const NoticeProgram&) = delete;

  // `facts`: "NAME=value", what the program finds in its environment beside
  // PATH and LANG. Returns at once. After Stop() has begun nothing happens.
  void Tell(std::vector<std::string> facts) ABSL_LOCKS_EXCLUDED(mu_);

  // Returns when all is told, or else after `patience`: then those that run are
  // killed. May be called again.
  void Stop(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  bool is_stopping() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return stop_by_ != absl::InfiniteFuture();
  }
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  void Run(std::vector<std::string> facts);
  // Whether the process ended before it had to be killed.
  bool AwaitEnd(pid_t pid) ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  absl::Mutex mu_;
  std::deque<std::vector<std::string>> waiting_ ABSL_GUARDED_BY(mu_);
  // Not told, since the log last said so.
  int64_t untold_ ABSL_GUARDED_BY(mu_) = 0;
  // Those that still run are killed then. In the future without end: it is not
  // to stop.
  absl::Time stop_by_ ABSL_GUARDED_BY(mu_) = absl::InfiniteFuture();
  std::vector<std::thread> threads_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_NOTIFY_NOTICE_PROGRAM_H_
