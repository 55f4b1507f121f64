#ifndef HYDRA_SCHEDULER_STORAGE_LOG_STORE_H_
#define HYDRA_SCHEDULER_STORAGE_LOG_STORE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "common/ids/ids.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Jobs' newest log lines, in memory. Lines are numbered from 0 for each job,
// those that were dropped included. When there are too many in all, the job
// that has been quiet for the longest time loses its lines. Thread-safe.
class LogStore {
 public:
  // What is kept at most, though always a job's newest line.
  struct Limit {
    int64_t lines = 0;
    // Of text.
    int64_t bytes = 0;
  };
  LogStore(const Limit& per_job, const Limit& in_all)
      : per_job_(per_job), in_all_(in_all) {}

  void Append(JobId job, const hydra::v1::LogLine& line)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Lines that never arrived.
  void CountDropped(JobId job, int64_t count) ABSL_LOCKS_EXCLUDED(mu_);

  static constexpr int64_t kPageBytes = 256 << 10;
  // A line never changes, and is copied outside of the lock.
  using LinePtr = std::shared_ptr<const hydra::v1::LogLine>;
  struct Page {
    std::vector<LinePtr> lines;
    // Lines between the one asked for and the first one here.
    int64_t dropped = 0;
    // What to ask for next.
    int64_t next = 0;
  };
  // At most `most` lines, and about kPageBytes of text, beginning with number
  // `from`.
  Page Read(JobId job, int64_t from, int64_t most) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // The number of the first of the newest `count` lines.
  int64_t TailStart(JobId job, int64_t count) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Lines {
    // The number of the first one that is kept.
    int64_t first = 0;
    // Those that are kept begin at `skip`. No deque: an empty one takes more
    // than the one line that most jobs have.
    std::vector<LinePtr> lines;
    size_t skip = 0;
    int64_t bytes = 0;
    std::list<JobId>::iterator place;

    int64_t size() const { return lines.size() - skip; }
    int64_t end() const { return first + size(); }
    const LinePtr& at(int64_t number) const {
      return lines[skip + number - first];
    }
  };

  void DropOldest(Lines& kept) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ForgetQuietest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const Limit per_job_;
  const Limit in_all_;
  mutable absl::Mutex mu_;
  absl::flat_hash_map<JobId, Lines> jobs_ ABSL_GUARDED_BY(mu_);
  // Where jobs that lost all lines go on counting; of these, the newest jobs.
  absl::btree_map<JobId, int64_t> forgotten_ ABSL_GUARDED_BY(mu_);
  // The quietest first.
  std::list<JobId> by_newest_line_ ABSL_GUARDED_BY(mu_);
  int64_t lines_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_LOG_STORE_H_
