#ifndef HYDRA_SCHEDULER_CORE_WAIT_LIST_H_
#define HYDRA_SCHEDULER_CORE_WAIT_LIST_H_

#include <optional>
#include <string>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "common/ids/ids.h"

namespace hydra {

// Jobs that cannot go on by themselves, by what they wait for, and which of
// them should be looked at again. An event wakes those alone that it is about,
// and room in the pool is offered to one after the other, so that tens of
// thousands of waiting jobs cost the others nothing.
//
// A job waits for one thing at a time, or is awake, or is unknown here. Pure
// bookkeeping: every call is logarithmic, but for Wake, which is linear in
// those that it wakes. Not thread-safe.
class WaitList {
 public:
  // The job waits for `what` from now on, whatever it was before.
  void WaitFor(JobId job, const std::string& what);
  // The job waits for room in the pool. Should it be the first of those that
  // do, then there is no room for any until OfferRoom.
  void WaitForRoom(JobId job);
  // The job is forgotten.
  void Remove(JobId job);

  // The job is awake.
  void Wake(JobId job);
  // All that wait for `what` are awake.
  void Wake(const std::string& what);
  // There may be room for the first that waits for it.
  void OfferRoom() { room_offered_ = true; }

  // Takes out a job to be looked at: of those that are awake the one with the
  // lowest id, and without any the first that waits for room, if some was
  // offered. None: all others wait on.
  std::optional<JobId> Take();
  // Whether Take would find one.
  bool has_next() const {
    return !awake_.empty() || (room_offered_ && !for_room_.empty());
  }

  bool contains(JobId job) const;
  // Whether a job with a lower id waits for room.
  bool WaitsBehindOthers(JobId job) const {
    return !for_room_.empty() && *for_room_.begin() < job;
  }

 private:
  absl::btree_set<JobId> awake_;
  absl::btree_set<JobId> for_room_;
  bool room_offered_ = false;
  // What is waited for by nobody is not here. Its name never moves.
  absl::node_hash_map<std::string, absl::btree_set<JobId>> groups_;
  absl::flat_hash_map<JobId, const std::string*> waits_for_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_WAIT_LIST_H_
