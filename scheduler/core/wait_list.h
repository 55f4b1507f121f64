#ifndef HYDRA_SCHEDULER_CORE_WAIT_LIST_H_
#define HYDRA_SCHEDULER_CORE_WAIT_LIST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/policy/account.h"

namespace hydra {

// Jobs that cannot go on by themselves, by what they wait for, and which of
// them should be looked at again. An event wakes those alone that it is about,
// and room in the pool is offered to one after the other, so that tens of
// thousands of waiting jobs cost the others nothing.
//
// Room is offered to the first job of each account, by its id, to accounts in
// turns: the one that got some longest ago first. One for which there is too
// little keeps its account's later ones waiting, and no other account's: but
// once it has waited for kPatience, what becomes free is kept for it, so that a
// large job is not passed for ever by small ones. Of several such, for the one
// that has waited longest.
//
// A job waits for one thing at a time, or is awake, or is unknown here. Pure
// bookkeeping: every call is logarithmic, but for Wake, which is linear in
// those that it wakes, and what is about room, which is linear in the accounts.
// Not thread-safe.
class WaitList {
 public:
  static constexpr absl::Duration kPatience = absl::Minutes(10);

  // The job waits for `what` from now on, whatever it was before.
  void WaitFor(JobId job, const std::string& what);
  // The job waits for room in the pool. Should it be the first of its account
  // that does, then there is no room for any of that until OfferRoom, and it
  // has waited since `now`, or since an earlier such call. Infinitely far: for
  // something of its own account's, and nothing is kept for it.
  void WaitForRoom(JobId job, Account account, absl::Time now);
  // The job is forgotten.
  void Remove(JobId job);

  // The job is awake.
  void Wake(JobId job);
  // All that wait for `what` are awake.
  void Wake(const std::string& what);
  // There may be room for those that wait for it.
  void OfferRoom() { ++offer_; }
  // A job of the account got room: the others' turn comes first.
  void NoteRoomTaken(Account account);

  // Takes out a job to be looked at: of those that are awake the one with the
  // lowest id, and without any the next one that room is offered to. None: all
  // others wait on.
  std::optional<JobId> Take();
  // Whether Take would find one.
  bool has_next() const {
    return !awake_.empty() || NextForRoom() != for_room_.end();
  }

  bool contains(JobId job) const;
  // Whether a job of the account with a lower id waits for room.
  bool WaitsBehindOthers(JobId job, Account account) const;
  // Whether room is kept for another account's job, which has waited longer
  // than this one. If so, room is offered anew when that one has got its.
  bool IsRoomKept(JobId job, Account account, absl::Time now);

  // The first of each account that wait for room, and not for something of
  // their own account's.
  struct Waiting {
    JobId job;
    Account account;
    absl::Time since;
  };
  std::vector<Waiting> WaitingForRoom() const;
  // Room is kept for this job before all others' of other accounts, until it
  // has got some or is forgotten; but not while its account's first one waits
  // for something of its own account's.
  void KeepRoomFor(JobId job) { kept_for_ = job; }

 private:
  // Of an account, whether any of its jobs waits for room or not.
  struct Room {
    absl::btree_set<JobId> jobs;
    // The first one that was refused, and since when it has waited.
    JobId refused;
    absl::Time since = absl::InfiniteFuture();
    // The newest offer that was refused.
    uint64_t refused_offer = 0;
    // Higher: it got room later.
    uint64_t turn = 0;
  };
  using Rooms = absl::btree_map<Account, Room>;
  // It waits for nothing more, but may be about to wait for room again.
  void TakeOut(JobId job);
  // The account whose turn it is to be offered room; the end: none.
  Rooms::const_iterator NextForRoom() const;

  absl::btree_set<JobId> awake_;
  Rooms for_room_;
  absl::flat_hash_map<JobId, Account> room_of_;
  uint64_t offer_ = 0;
  uint64_t last_turn_ = 0;
  // See KeepRoomFor. None: for nobody.
  JobId kept_for_;
  // Some waits only because room is kept for another.
  bool held_back_ = false;
  // What is waited for by nobody is not here. Its name never moves.
  absl::node_hash_map<std::string, absl::btree_set<JobId>> groups_;
  absl::flat_hash_map<JobId, const std::string*> waits_for_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_WAIT_LIST_H_
