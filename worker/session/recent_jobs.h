#ifndef HYDRA_WORKER_SESSION_RECENT_JOBS_H_
#define HYDRA_WORKER_SESSION_RECENT_JOBS_H_

#include <cstdint>
#include <list>

#include "absl/container/flat_hash_set.h"

namespace hydra {

// The jobs that ran a task most recently: those whose models and files a worker
// keeps. The daemon does not say when a job is over, and names a job only while
// it has a task here, which may be now and then.
//
// Not thread-safe. Touch() takes longer the more jobs there are: meant for a
// thousand at most.
class RecentJobs {
 public:
  explicit RecentJobs(int64_t capacity) : capacity_(capacity) {}

  // Notes that the job runs a task. Returns whether another job is no longer
  // among the recent ones.
  bool Touch(uint64_t job_id);

  absl::flat_hash_set<uint64_t> ids() const {
    return {newest_first_.begin(), newest_first_.end()};
  }

 private:
  const int64_t capacity_;
  std::list<uint64_t> newest_first_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_RECENT_JOBS_H_
