#include "scheduler/runtime/job_meter.h"

#include <algorithm>

namespace hydra {

JobMeter::JobMeter()
    : waits_({1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600,
              72 * 3600}) {}

void JobMeter::Come(const Seen& now) { ++jobs_[{now.owner, now.state}]; }

void JobMeter::Change(const Seen& before, const Seen& now) {
  Go(before);
  Come(now);
  const int64_t steps = std::max<int64_t>(now.step - before.step, 0);
  steps_ += steps;
  // A job that has ended does not know its data any more.
  tokens_ += steps * before.step_tokens;
  if (before.started_at == absl::InfinitePast() &&
      now.started_at != absl::InfinitePast()) {
    waits_.Add(std::max(
        absl::ToDoubleSeconds(now.started_at - now.submitted_at), 0.0));
  }
}

void JobMeter::Go(const Seen& before) {
  const auto found = jobs_.find({before.owner, before.state});
  if (--found->second == 0) jobs_.erase(found);
}

}  // namespace hydra
