#ifndef HYDRA_SCHEDULER_CORE_NEWEST_VERSIONS_H_
#define HYDRA_SCHEDULER_CORE_NEWEST_VERSIONS_H_

#include "absl/container/flat_hash_map.h"
#include "common/chain/block_key.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/job.h"

namespace hydra {

// What a job's next task finds: of each block the version that the tasks before
// it make, committed or not. Linear in the blocks that are made and not yet
// committed, of which a step with many micro-batches has as many. Both are
// borrowed, and valid until their next change. Not thread-safe.
class NewestVersions {
 public:
  NewestVersions(const BlockTable& blocks, const Job& job)
      : blocks_(blocks), job_(job.id) {
    for (const OutstandingTask& task : job.outstanding) {
      for (const auto& [key, version] : task.made) made_[key] = &version;
    }
  }

  // Null if there is none.
  const Version* Find(const BlockKey& key) const {
    const auto made = made_.find(key);
    return made == made_.end() ? blocks_.Find(job_, key) : made->second;
  }

 private:
  const BlockTable& blocks_;
  const JobId job_;
  absl::flat_hash_map<BlockKey, const Version*> made_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_NEWEST_VERSIONS_H_
