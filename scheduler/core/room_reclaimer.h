#ifndef HYDRA_SCHEDULER_CORE_ROOM_RECLAIMER_H_
#define HYDRA_SCHEDULER_CORE_ROOM_RECLAIMER_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_life.h"
#include "scheduler/core/job_queue.h"
#include "scheduler/core/quotas.h"
#include "scheduler/core/wait_list.h"
#include "scheduler/policy/account.h"

namespace hydra {

// Takes room in the pool back, where CoreOptions::reclaim_room says so: from an
// account that has more than its part of the pool, for a job of another one
// that would stay within its own and has waited for kPatience. A part is the
// account's weight over that of all which have room or wait for some. The job
// that came in last gives its room, at the end of its step and saved as it is
// there, and waits for room again; but none that has had it for less than
// kTenure: so no two jobs take turns faster than that. One that was asked and
// kept it, since it could not be saved or its user resumed it, has it for
// kTenure again. One gives way at a time.
//
// Not thread-safe; what it is given must outlive it.
class RoomReclaimer {
 public:
  static constexpr absl::Duration kPatience = absl::Minutes(1);
  static constexpr absl::Duration kTenure = absl::Minutes(10);

  struct Parts {
    const CoreOptions* options = nullptr;
    JobBook* book = nullptr;
    JobQueue* queue = nullptr;
    const Quotas* quotas = nullptr;
    JobLife* life = nullptr;
  };
  // `pool_bytes`: what can be promised.
  RoomReclaimer(const Parts& parts, int64_t pool_bytes)
      : parts_(parts), pool_bytes_(pool_bytes) {}

  void Tick(absl::Time now);

 private:
  double WeightOf(Account account) const;
  // What the account has beyond its part; negative: so much is left of that.
  double BeyondPart(Account account, double all_weights) const;
  // Of all accounts that have room or wait for some.
  double AllWeights() const;
  // Of those that wait, the one for which room may be taken back.
  std::optional<WaitList::Waiting> Deserving(double all_weights,
                                             absl::Time now) const;
  // Whose room is to be taken; null: nobody's.
  Job* Giver(Account account, double all_weights, absl::Time now) const;

  const Parts parts_;
  const int64_t pool_bytes_;
  // The job that is on its way out.
  JobId giver_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_ROOM_RECLAIMER_H_
