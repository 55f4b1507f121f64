#include "worker/device/cpu/link_model.h"

#include <algorithm>

namespace hydra {

absl::Time LinkTimeline::Transfer(CopyLane lane, int64_t bytes,
                                  absl::Time ready) {
  const double rate = lane == CopyLane::kPromote
                          ? model_.to_device_bytes_per_second
                          : model_.to_host_bytes_per_second;
  absl::Time& free_at = free_at_[model_.shared ? 0 : static_cast<int>(lane)];
  free_at = std::max(free_at, ready) +
            absl::Seconds(static_cast<double>(bytes) / rate);
  return free_at;
}

}  // namespace hydra
