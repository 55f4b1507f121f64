#ifndef HYDRA_SCHEDULER_POLICY_SHARDED_LRTF_H_
#define HYDRA_SCHEDULER_POLICY_SHARDED_LRTF_H_

#include <optional>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/policy/runnable_queue.h"

namespace hydra {

// Sharded-LRTF: the next shard of the runnable job with the longest total
// remaining time goes first. Jobs then tend to end together, which keeps every
// device busy until the end. Ties go to the lowest job id, so the choice
// depends on nothing but the jobs and their times.
class ShardedLrtf final : public Policy {
 public:
  void Upsert(JobId job, absl::Duration remaining) override;
  void Remove(JobId job) override;
  bool Contains(JobId job) const override { return remaining_.contains(job); }
  std::optional<JobId> Best() const override;
  void ForEachInOrder(absl::FunctionRef<bool(JobId)> visit) const override;

 private:
  struct Entry {
    absl::Duration remaining;
    JobId job;

    friend bool operator<(const Entry& a, const Entry& b) {
      if (a.remaining != b.remaining) return a.remaining > b.remaining;
      return a.job < b.job;
    }
  };

  // The same jobs twice: in order, and by id to find a job's place in it.
  absl::btree_set<Entry> order_;
  absl::flat_hash_map<JobId, absl::Duration> remaining_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_SHARDED_LRTF_H_
