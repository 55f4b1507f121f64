#ifndef HYDRA_SCHEDULER_POLICY_SHARE_LEDGER_H_
#define HYDRA_SCHEDULER_POLICY_SHARE_LEDGER_H_

#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "scheduler/policy/account.h"

namespace hydra {

// How accounts share the devices.
struct ShareOptions {
  // Device time counts half after so long.
  absl::Duration half_life = absl::Hours(24);
  // How many times the share of others. Of accounts that are not here, 1. All
  // above 0.
  absl::btree_map<Account, double> weights;
};

// What each account has used of the devices, by which it is decided whose turn
// it is: the account's whose place is lowest. A place is device time over the
// account's weight. Device time counts less the longer ago it was; since it
// does so for all alike, no order changes by time alone, and nothing here needs
// a timer.
//
// An account's place is charged for each task when that ends, by what it took,
// and until then by what it was promised to take. So an account whose tasks are
// long, or on many devices, does not look as if it had used nothing meanwhile.
//
// Who was not there saves nothing up: see Join.
//
// Pure: time is handed in. Never goes back: an earlier time counts as the
// newest one. Not thread-safe. Every call takes constant time, but for Uses and
// Restore, and once in a few weeks one that takes time in the number of
// accounts.
class ShareLedger {
 public:
  // An account that had nothing to run for so long was away.
  static constexpr absl::Duration kAway = absl::Minutes(1);
  // One that was there, and had fewer jobs than its share has room for, may
  // catch up so much of a half-life: an hour of a device in a day.
  static constexpr double kMostCredit = 1.0 / 24;

  explicit ShareLedger(ShareOptions options);

  // From now on, as ShareOptions'. What accounts have used stays, and counts by
  // the new weight.
  void SetWeights(absl::btree_map<Account, double> weights);

  // A task of the account is promised to a device, and should take so long.
  void Promise(Account account, absl::Duration estimate, absl::Time now);
  // It has ended, or will not be run: the promise of `estimate` is taken back.
  void TakeBack(Account account, absl::Duration estimate);
  // A device has worked for the account.
  void Charge(Account account, absl::Duration took, absl::Time now);

  // The account has something that waits for a device, and had nothing before.
  // `least`: the account with the lowest place of those that have; null: there
  // are none. Then the account's place is not below that of `least`, if it is
  // new or was away, and at most kMostCredit below it if not. Where nobody
  // waits, level() counts as the place of `least`.
  void Join(Account account, const Account* least, absl::Time now);

  // Whether `a` goes first: its place is lower, or equal and its number lower.
  // An account that is not known is at level().
  bool Before(Account a, Account b) const;
  // The device time that puts `ahead` behind `behind`, which has a lower place:
  // by how much the latter would suffer if the former went on. Negative if it
  // has not.
  absl::Duration LeadOf(Account ahead, Account behind) const;

  // Where, of the accounts that got a task, the one is that has used most.
  absl::Duration level() const { return ToDuration(level_); }

  // What is to be remembered: without what is promised, all as of the newest
  // time, by the accounts' numbers.
  struct Use {
    Account account;
    // Decayed, not divided by its weight.
    absl::Duration used;
  };
  std::vector<Use> Uses() const;
  size_t accounts() const { return entries_.size(); }
  // As of the newest time that was handed in.
  absl::Time now() const { return now_; }
  // Numbers count from here. When it moves, places that had become as good as
  // nothing may become equal.
  absl::Time epoch() const { return epoch_; }
  // Goes on from what was remembered as of `at`, by a clock that may have been
  // ahead of `now`. Until now nobody could have anything to run: that counts
  // for nobody as being away. Comes first.
  void Restore(const std::vector<Use>& uses, absl::Duration level,
               absl::Time at, absl::Time now);

 private:
  struct Entry {
    double weight = 1;
    // In seconds of a weight of 1 at the epoch: those of later times count for
    // more.
    double charged = 0;
    absl::Duration promised;
    // Both together, as of when either changed.
    double place = 0;
    // When it last had something to run, as far as is known.
    absl::Time active_at = absl::InfinitePast();
  };

  double WeightOf(Account account) const;
  // It is known from now on.
  Entry& At(Account account);
  double PlaceOf(Account account) const;
  // How much a second of `now_` counts.
  double Scale() const;
  absl::Duration ToDuration(double place) const;
  void SetPlace(Entry& entry);
  void Advance(absl::Time now);
  // All numbers get smaller by a power of two, the later the epoch is: none of
  // them becomes too large, and no order changes.
  void MoveEpoch(int half_lives);

  ShareOptions options_;
  absl::flat_hash_map<Account, Entry> entries_;
  double level_ = 0;
  absl::Time epoch_ = absl::InfinitePast();
  absl::Time now_ = absl::InfinitePast();
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_SHARE_LEDGER_H_
