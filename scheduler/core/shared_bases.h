#ifndef HYDRA_SCHEDULER_CORE_SHARED_BASES_H_
#define HYDRA_SCHEDULER_CORE_SHARED_BASES_H_

#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "common/ids/ids.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_queue.h"
#include "scheduler/journal/journal.h"

namespace hydra {

// The frozen parameters of the jobs in the pool. Jobs whose frozen parameters
// begin alike (NewJob::base_key) have one base, which is in the pool once: the
// first of them fills it with its INIT, and the others, which wait until then,
// take its blocks as theirs. It stays for as long as one of them is there.
//
// Not thread-safe; what it is given must outlive it. Does nothing for jobs
// without a base.
class SharedBases {
 public:
  struct Parts {
    JobQueue* queue = nullptr;
    BlockTable* blocks = nullptr;
    Journal* journal = nullptr;
  };
  explicit SharedBases(const Parts& parts) : parts_(parts) {}

  // Whether another job is about to fill the job's base: it waits then, and is
  // woken when that is done or given up.
  bool Waits(Job& job);
  // The job comes into the pool: it takes what is there, or is the one to fill
  // its base. Requires that it does not wait.
  void Join(const Job& job);
  // An earlier daemon had it in the pool; its blocks are there.
  void Restore(const Job& job);
  // Its INIT is over.
  void Filled(const Job& job);
  // It leaves the pool. Its blocks are the caller's to end.
  void Leave(const Job& job);

  // Whether it is in the pool, as far as this knows.
  bool Has(const Job& job) const;
  // The jobs in the pool that have the job's base, itself among them if it is
  // there, by their ids.
  std::vector<JobId> JobsWithBaseOf(const Job& job) const;

 private:
  struct Base {
    absl::btree_set<JobId> jobs;
    // Of these, the one whose INIT fills it. None: it is whole.
    JobId filler;
  };
  bool HasAll(const Job& job) const;

  const Parts parts_;
  // By their keys.
  absl::btree_map<std::string, Base> bases_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_SHARED_BASES_H_
