#ifndef HYDRA_WORKER_DEVICE_ENERGY_CLOCK_H_
#define HYDRA_WORKER_DEVICE_ENERGY_CLOCK_H_

#include <optional>

#include "absl/time/time.h"

namespace hydra {

// How much energy a card has used up to a time, from what its driver said now
// and then: between two readings what its counter rose, or else the mean of the
// two powers times the time; since the newest one, that one's power times the
// time, up to kLongestUnread. Begins with the first reading. Not thread-safe.
class EnergyClock {
 public:
  // A driver that is silent for longer may not find the card any more.
  static constexpr absl::Duration kLongestUnread = absl::Seconds(60);

  // What was read at `at`, which does not fall. Without both nothing is known.
  void Add(absl::Time at, std::optional<double> counted_joules,
           std::optional<double> watts);

  // Never less than it said before, so that differences can be added up. Absent
  // before the first reading.
  std::optional<double> JoulesAt(absl::Time now);

 private:
  std::optional<absl::Time> at_;
  std::optional<double> counted_joules_;
  // Of the newest reading; without one, of the time before it.
  double watts_ = 0;
  // Up to `at_`.
  double joules_ = 0;
  double told_joules_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_ENERGY_CLOCK_H_
