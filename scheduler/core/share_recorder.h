#ifndef HYDRA_SCHEDULER_CORE_SHARE_RECORDER_H_
#define HYDRA_SCHEDULER_CORE_SHARE_RECORDER_H_

#include "absl/time/time.h"
#include "hydra/journal/v1/journal.pb.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/share_order.h"

namespace hydra {

// Keeps what accounts have used of the devices across restarts: what they used
// is recorded every kEvery, so that a daemon that is killed forgets so much at
// most, and what was in hands. Nothing is recorded as long as there is one
// account: it shares with nobody. Not thread-safe; what it is given must
// outlive it.
class ShareRecorder {
 public:
  static constexpr absl::Duration kEvery = absl::Seconds(10);

  ShareRecorder(ShareOrder* shares, Journal* journal)
      : shares_(shares), journal_(journal) {}

  // What an earlier daemon recorded; its clock may have been ahead of `now`.
  // Comes first.
  void Restore(const journal::v1::ShareRecord& record, absl::Time now);
  // Records, if it is time to and there is something new.
  void Tick(absl::Time now);

 private:
  journal::v1::ShareRecord Record() const;

  ShareOrder* const shares_;
  Journal* const journal_;
  absl::Time recorded_at_ = absl::InfinitePast();
  // What was recorded last was as of then.
  absl::Time as_of_ = absl::InfinitePast();
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_SHARE_RECORDER_H_
