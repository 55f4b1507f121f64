#include "worker/device/energy_clock.h"

#include <algorithm>

namespace hydra {

void EnergyClock::Add(absl::Time at, std::optional<double> counted_joules,
                      std::optional<double> watts) {
  if (!counted_joules.has_value() && !watts.has_value()) return;
  if (at_.has_value()) {
    const double seconds = absl::ToDoubleSeconds(at - *at_);
    const bool counts = counted_joules.has_value() &&
                        counted_joules_.has_value() &&
                        *counted_joules >= *counted_joules_;
    const double more = counts
                            ? *counted_joules - *counted_joules_
                            : (watts_ + watts.value_or(watts_)) / 2 * seconds;
    joules_ += more;
    if (!watts.has_value() && seconds > 0) watts_ = more / seconds;
  }
  if (watts.has_value()) watts_ = *watts;
  at_ = at;
  counted_joules_ = counted_joules;
}

std::optional<double> EnergyClock::JoulesAt(absl::Time now) {
  if (!at_.has_value()) return std::nullopt;
  const absl::Duration unread =
      std::clamp(now - *at_, absl::ZeroDuration(), kLongestUnread);
  const double since = watts_ * absl::ToDoubleSeconds(unread);
  told_joules_ = std::max(told_joules_, joules_ + since);
  return told_joules_;
}

}  // namespace hydra
