#ifndef HYDRA_SCHEDULER_STORAGE_METRICS_THREAD_H_
#define HYDRA_SCHEDULER_STORAGE_METRICS_THREAD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_event.h"
#include "common/ids/ids.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/journal/record_store.h"
#include "scheduler/storage/job_metrics.h"

namespace hydra {

// Writes the files of jobs' metrics (job_metrics.h) on a thread of its own,
// some time after what they say is in jobs.db. What waits is a number for each
// job, however much was recorded. Thread-safe.
class MetricsThread {
 public:
  struct Options {
    // Stands in the names of TensorBoard's files.
    std::string host;
    // Between two looks at what was recorded, at least.
    absl::Duration pause;
    // What failed is tried again after so many looks, and when more of the job
    // was recorded.
    int looks_until_retry = 40;
  };
  // Called on the thread, once until the job's files can be written again.
  using Trouble = std::function<void(JobId, const absl::Status&)>;

  // `jobs` must outlive this, and be thread-safe if others use it.
  MetricsThread(const RecordStore* jobs, const Options& options,
                Trouble trouble);
  // Stops it.
  ~MetricsThread();

  // These changes are in jobs.db. Returns at once.
  void Recorded(const std::vector<journal::v1::Change>& changes)
      ABSL_LOCKS_EXCLUDED(mu_);
  // What was recorded of the job may not be in its files. Returns at once.
  void LookAt(JobId job) ABSL_LOCKS_EXCLUDED(mu_);

  // Writes what was recorded before, then ends the thread. May be called again,
  // but not from two threads at once.
  void Stop();

 private:
  // By job, the first place that was changed: see JobMetrics::Update.
  using Changed = std::map<JobId, int64_t>;

  static void Note(JobId job, int64_t place, Changed& changed);
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  void UpdateAll(const Changed& changed);

  const Options options_;
  const Trouble trouble_;
  absl::Mutex mu_;
  Changed changed_ ABSL_GUARDED_BY(mu_);

  // The thread's alone.
  JobMetrics metrics_;
  // Those whose files could not be written the last time.
  std::set<JobId> failed_;

  SteadyEvent stop_;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_METRICS_THREAD_H_
