#include "scheduler/core/blame.h"

#include <algorithm>

namespace hydra {
namespace {

constexpr absl::Duration kLongestQuarantine = absl::Hours(1);

}  // namespace

bool IsDeviceToBlame(const std::vector<JobId>& deaths, int crashes_of_job) {
  const bool of_two_jobs =
      std::any_of(deaths.begin(), deaths.end(),
                  [&](JobId job) { return job != deaths.front(); });
  return of_two_jobs || static_cast<int>(deaths.size()) > crashes_of_job;
}

absl::Duration QuarantineTime(absl::Duration first, int times) {
  absl::Duration time = first;
  for (int i = 1; i < times && time < kLongestQuarantine; ++i) time *= 2;
  return std::min(time, kLongestQuarantine);
}

}  // namespace hydra
