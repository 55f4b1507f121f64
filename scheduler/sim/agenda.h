#ifndef HYDRA_SCHEDULER_SIM_AGENDA_H_
#define HYDRA_SCHEDULER_SIM_AGENDA_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "absl/time/time.h"

namespace hydra {

// A virtual clock, and what will happen when. Time passes from one event to the
// next. Not thread-safe.
class Agenda {
 public:
  absl::Time now() const { return now_; }
  // Events that happened.
  int64_t events() const { return events_; }

  // Events of one time happen in the order in which they were planned.
  void At(absl::Duration delay, std::function<void()> event);

  size_t planned() const { return planned_.size(); }
  // Requires that something is planned.
  absl::Time next() const { return planned_.begin()->first.first; }
  // Goes to the time of the next event, and lets it happen.
  void RunNext();

 private:
  absl::Time now_ = absl::UnixEpoch();
  // By time, then by number.
  std::map<std::pair<absl::Time, uint64_t>, std::function<void()>> planned_;
  uint64_t last_number_ = 0;
  int64_t events_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_AGENDA_H_
