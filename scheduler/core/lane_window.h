#ifndef HYDRA_SCHEDULER_CORE_LANE_WINDOW_H_
#define HYDRA_SCHEDULER_CORE_LANE_WINDOW_H_

#include <deque>
#include <optional>

#include "absl/time/time.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// How full a device's lanes were over about the last five seconds, from the
// times that its worker reports, which only rise. Of a worker that says no more
// it stays as it was. A plain value; not thread-safe.
class LaneWindow {
 public:
  // 0 to 1. Absent where the worker does not say, or was not heard for long
  // enough.
  struct Shares {
    std::optional<double> computing;
    std::optional<double> promoting;
    std::optional<double> demoting;
  };

  // Another process reports from now on.
  void Clear();
  // As reported at `now`, which does not fall.
  void Add(absl::Time now, const hydra::worker::v1::DeviceStatus& status);
  Shares Now() const;

 private:
  // What was worked up to then.
  struct Sample {
    absl::Time at;
    std::optional<absl::Duration> compute;
    std::optional<absl::Duration> promote;
    std::optional<absl::Duration> demote;
  };

  Sample newest_;
  // Some of the earlier ones, oldest first: one that is as old as the window,
  // and later ones.
  std::deque<Sample> earlier_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_LANE_WINDOW_H_
