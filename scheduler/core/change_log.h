#ifndef HYDRA_SCHEDULER_CORE_CHANGE_LOG_H_
#define HYDRA_SCHEDULER_CORE_CHANGE_LOG_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_set>
#include <vector>

#include "common/ids/ids.h"

namespace hydra {

// Which jobs look different to clients since somebody looked: each once, in the
// order in which they changed first. Not thread-safe.
class ChangeLog {
 public:
  void Note(JobId job) {
    if (!waiting_.insert(job).second) return;
    jobs_.push_back(job);
    ++noted_;
  }

  // The oldest ones, at most `most`; they are not in the log any more.
  std::vector<JobId> Take(size_t most) {
    std::vector<JobId> taken;
    for (; taken.size() < most && !jobs_.empty(); jobs_.pop_front()) {
      waiting_.erase(jobs_.front());
      taken.push_back(jobs_.front());
    }
    taken_ += taken.size();
    return taken;
  }

  bool empty() const { return jobs_.empty(); }
  // What was noted before a moment has been taken once taken() is what noted()
  // was in that moment.
  uint64_t noted() const { return noted_; }
  uint64_t taken() const { return taken_; }

 private:
  std::deque<JobId> jobs_;
  std::unordered_set<JobId> waiting_;
  uint64_t noted_ = 0;
  uint64_t taken_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_CHANGE_LOG_H_
