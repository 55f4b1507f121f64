#include "common/clock/steady_event.h"

#include <algorithm>
#include <chrono>

namespace hydra {
namespace {

// What a time_point can be added to without overflow.
constexpr absl::Duration kLongest = absl::Hours(24 * 365);

}  // namespace

void SteadyEvent::Notify() {
  const std::lock_guard<std::mutex> lock(mu_);
  happened_ = true;
  // Under the lock: a woken thread may destroy this object.
  changed_.notify_all();
}

bool SteadyEvent::HasHappened() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return happened_;
}

bool SteadyEvent::WaitFor(absl::Duration timeout) const {
  const auto deadline = std::chrono::steady_clock::now() +
                        absl::ToChronoNanoseconds(std::min(timeout, kLongest));
  std::unique_lock<std::mutex> lock(mu_);
  return changed_.wait_until(lock, deadline, [this] { return happened_; });
}

}  // namespace hydra
