#ifndef HYDRA_TESTS_CHAOS_SUBMITTER_H_
#define HYDRA_TESTS_CHAOS_SUBMITTER_H_

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Threads that submit the same sweep again and again, as fast as they can, each
// time with a request id and job names of its own. After an error they repeat
// the same request until it is acknowledged. Thread-safe.
class Submitter {
 public:
  struct Options {
    // "unix:/..."
    std::string address;
    hydra::v1::SubmitRequest request;
    int threads = 1;
  };
  struct Acknowledged {
    // Also the jobs' name.
    std::string request_id;
    std::string sweep_id;
    std::vector<std::string> job_ids;
    // Since the first try.
    double milliseconds = 0;
  };

  // Begins at once.
  explicit Submitter(Options options);
  // Stop()
  ~Submitter();

  // Those from number `first` on, in order of their arrival here.
  std::vector<Acknowledged> AcknowledgedFrom(size_t first) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // Calls that failed and were repeated.
  int64_t failed_calls() const { return failed_calls_; }

  // Returns when every thread has ended, each with its last request
  // acknowledged: a server must run.
  void Stop();

 private:
  void Submit(int thread);

  const Options options_;
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> failed_calls_{0};
  mutable absl::Mutex mu_;
  std::vector<Acknowledged> acknowledged_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> threads_;
};

}  // namespace hydra

#endif  // HYDRA_TESTS_CHAOS_SUBMITTER_H_
