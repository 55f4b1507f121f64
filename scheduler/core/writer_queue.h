#ifndef HYDRA_SCHEDULER_CORE_WRITER_QUEUE_H_
#define HYDRA_SCHEDULER_CORE_WRITER_QUEUE_H_

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"

namespace hydra {

// Jobs that stand still until the one writer of checkpoints is free, in the
// order in which they were due: the oldest is next. Not thread-safe.
class WriterQueue {
 public:
  // Does nothing for a job that is in it.
  void Join(JobId job, absl::Time due) {
    if (due_.emplace(job, due).second) order_.emplace(due, job);
  }
  void Leave(JobId job) {
    const auto found = due_.find(job);
    if (found == due_.end()) return;
    order_.erase({found->second, job});
    due_.erase(found);
  }
  bool empty() const { return order_.empty(); }
  size_t size() const { return order_.size(); }
  bool contains(JobId job) const { return due_.contains(job); }

  // All of them, the next one first.
  std::vector<JobId> Jobs() const {
    std::vector<JobId> jobs;
    for (const auto& [due, job] : order_) jobs.push_back(job);
    return jobs;
  }
  // None: nobody waits.
  std::optional<JobId> Next() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->second;
  }
  // Whether a job that is due since `due` would be the next.
  bool WouldBeNext(absl::Time due) const {
    return order_.empty() || due < order_.begin()->first;
  }

 private:
  absl::btree_set<std::pair<absl::Time, JobId>> order_;
  absl::flat_hash_map<JobId, absl::Time> due_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_WRITER_QUEUE_H_
