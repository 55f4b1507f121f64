#ifndef HYDRA_SCHEDULER_POLICY_SHARE_ORDER_H_
#define HYDRA_SCHEDULER_POLICY_SHARE_ORDER_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/policy/account.h"
#include "scheduler/policy/job_view.h"
#include "scheduler/policy/policy.h"
#include "scheduler/policy/share_ledger.h"

namespace hydra {

// Accounts first: the next task is one of the account that has used least of
// the devices (share_ledger.h), so that two accounts get as much of them
// whatever jobs they have. Within an account the job with the higher priority
// goes first, and of equal ones whichever another policy puts first. With one
// account and one priority it is that policy.
//
// A device goes on with a job although another account's comes first only where
// that one hardly suffers: where the job's steps are short (kShortStep), and
// its account is ahead by no more than a step of it. So an account that comes
// waits for what devices have in their hands already, and for a short step.
//
// A lower priority is not starved by a higher one: it gets a task whenever it
// has not had any for kAgeing longer, for each number between the two, than the
// higher one.
//
// Not thread-safe; not copyable. As Policy's, calls take logarithmic time: in
// the numbers of jobs, accounts and priorities.
class ShareOrder : public Policy {
 public:
  static constexpr absl::Duration kShortStep = absl::Seconds(2);
  static constexpr absl::Duration kAgeing = absl::Seconds(10);

  // `inside` orders the jobs of one account; it holds none of them, and must
  // outlive this.
  ShareOrder(const Policy* inside, ShareOptions options)
      : inside_(inside), ledger_(std::move(options)) {}
  ShareOrder(const ShareOrder&) = delete;
  ShareOrder& operator=(const ShareOrder&) = delete;

  // --- What devices do for accounts ---

  // A task of such a job is promised to a device, and should take so long.
  void HandedOut(Account account, int priority, absl::Duration estimate,
                 absl::Time now);
  // It is in no device's hand any more.
  void TakeBack(Account account, absl::Duration estimate);
  // A device has worked for the account, whether that came to something or not.
  void Charge(Account account, absl::Duration took, absl::Time now);
  // As ShareLedger's; before any job is here.
  void Restore(const std::vector<ShareLedger::Use>& uses, absl::Duration level,
               absl::Time at, absl::Time now) {
    ledger_.Restore(uses, level, at, now);
  }
  // As ShareLedger's.
  void SetWeights(absl::btree_map<Account, double> weights);
  const ShareLedger& ledger() const { return ledger_; }

  // --- Policy ---

  bool Before(const JobView& a, const JobView& b) const override;
  bool BeforeByFar(const JobView& a, const JobView& b) const override;
  bool MayYield(const JobView& first, const JobView& other) const override;
  // Of jobs of one account.
  std::string JobsAhead(int64_t jobs) const override {
    return inside_->JobsAhead(jobs);
  }
  void Upsert(const JobView& job) override;
  void Remove(JobId job) override;
  bool Contains(JobId job) const override { return views_.contains(job); }
  void ForEachInOrder(
      absl::FunctionRef<bool(const JobView&)> visit) const override;

 private:
  // Jobs of one account and priority.
  struct InsideOrder {
    const Policy* inside;
    bool operator()(const JobView& a, const JobView& b) const {
      return inside->Before(a, b);
    }
  };
  struct Level {
    explicit Level(const Policy* inside) : jobs(InsideOrder{inside}) {}

    absl::btree_set<JobView, InsideOrder> jobs;
    // When one of them got a task last, or the first of them began to wait.
    absl::Time served = absl::InfinitePast();
  };
  // Where a level stands: the one that was served longest ago, as if each had
  // been kAgeing earlier for each number of its priority. Then the higher one.
  using LevelPlace = std::pair<absl::Time, int>;
  struct Line {
    // By priority.
    absl::node_hash_map<int, Level> levels;
    // Of those that have jobs.
    std::set<LevelPlace> order;
  };
  struct ByShare {
    const ShareLedger* ledger;
    bool operator()(Account a, Account b) const { return ledger->Before(a, b); }
  };

  static LevelPlace PlaceOf(int priority, absl::Time served) {
    return {served - priority * kAgeing, -priority};
  }
  // Of such jobs, whether there are any here or not.
  LevelPlace PlaceOf(const JobView& job) const;
  void Insert(const JobView& job);
  // The account stays, even without jobs.
  void Erase(const JobView& job);
  // Whether `b`, which comes after `a` of another account, may go on before it.
  bool HardlyDelays(const JobView& a, const JobView& b) const;
  // Changes the ledger's numbers of one account, which stands elsewhere then.
  void Change(Account account, absl::FunctionRef<void()> change);
  // Accounts stand where the ledger says, should it have moved its epoch.
  void FollowEpoch();
  // They do after `change` of its numbers.
  void Reorder(absl::FunctionRef<void()> change);

  const Policy* const inside_;
  ShareLedger ledger_;
  absl::flat_hash_map<JobId, JobView> views_;
  absl::node_hash_map<Account, Line> lines_;
  // Those that have jobs here. Order is the ledger's.
  std::set<Account, ByShare> waiting_{ByShare{&ledger_}};
  // The ledger's when they were put there.
  absl::Time epoch_ = absl::InfinitePast();
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_SHARE_ORDER_H_
