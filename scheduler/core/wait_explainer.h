#ifndef HYDRA_SCHEDULER_CORE_WAIT_EXPLAINER_H_
#define HYDRA_SCHEDULER_CORE_WAIT_EXPLAINER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/checkpoints.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/hands.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_queue.h"
#include "scheduler/core/roster.h"
#include "scheduler/policy/account.h"
#include "scheduler/policy/job_view.h"

namespace hydra {

// Tells what the jobs in the queue wait for, those that waited for a while:
// every so often all of them, some in a turn. Not thread-safe; what it is given
// must outlive it.
class WaitExplainer {
 public:
  struct Parts {
    const CoreOptions* options = nullptr;
    JobBook* book = nullptr;
    const JobQueue* queue = nullptr;
    const BlockTable* blocks = nullptr;
    const Roster* roster = nullptr;
    const Hands* hands = nullptr;
    const Checkpoints* checkpoints = nullptr;
  };
  explicit WaitExplainer(const Parts& parts) : parts_(parts) {}

  // Begins anew, if it is time to and the last time is through.
  void Tick(absl::Time now);
  void ExplainSome(absl::Time now);
  bool has_more_work() const { return !to_explain_.empty(); }

 private:
  // How many jobs go before one.
  struct Ahead {
    int64_t all = 0;
    // Of its own account.
    int64_t own = 0;
    // Accounts with jobs in the queue or in hands, but for its own.
    int64_t other_accounts = 0;
    // Its account's differ.
    bool by_priority = false;
  };
  // Tick has found it.
  void Note(const JobView& job);
  void Say(Job& job, std::string reason);
  std::string WhatItWaitsFor(const Job& job, const Ahead& ahead) const;
  // Of those that only wait for their turn.
  std::string WhoseTurnItIs(const Ahead& ahead) const;

  const Parts parts_;
  absl::Time began_at_ = absl::InfinitePast();
  // The queue when it began, its first job last, and how many jobs are ahead of
  // the last one here: of all, and by account. An account is there if it has
  // jobs in the queue or in hands.
  std::vector<JobId> to_explain_;
  int64_t explained_ = 0;
  absl::flat_hash_map<Account, int64_t> explained_of_;
  // Of each account, the priority of one of its jobs; and the accounts that
  // have another one, too.
  absl::flat_hash_map<Account, int> priority_of_;
  absl::flat_hash_set<Account> with_priorities_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_WAIT_EXPLAINER_H_
