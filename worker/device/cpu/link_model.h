#ifndef HYDRA_WORKER_DEVICE_CPU_LINK_MODEL_H_
#define HYDRA_WORKER_DEVICE_CPU_LINK_MODEL_H_

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "worker/device/device.h"

namespace hydra {

// A link between host and device, such as PCIe: what copies over it may take.
struct LinkModel {
  // Each above 0.
  double to_device_bytes_per_second = 0;
  double to_host_bytes_per_second = 0;
  // Both directions share one bus: while one copies, the other waits.
  bool shared = false;
};

// Of "TO_DEVICE,TO_HOST", in bytes a second, and ",shared" for one bus.
// INVALID_ARGUMENT: it is not that.
absl::StatusOr<LinkModel> ParseLink(absl::string_view text);

// When copies over a link end. Each direction, or the shared bus, does one
// after another, and is never idle while one waits: a copy that was asked for
// while the link was busy begins when the one before it ends, however late the
// caller notices that.
//
// Pure: times are arguments, of any clock. Not thread-safe.
class LinkTimeline {
 public:
  struct Use {
    absl::Time begin;
    absl::Time end;
  };

  explicit LinkTimeline(const LinkModel& model) : model_(model) {}

  // When a copy of `bytes` in `lane` that could begin at `ready` has the link.
  // Copies of a lane are given in their order.
  Use Transfer(CopyLane lane, int64_t bytes, absl::Time ready);

 private:
  const LinkModel model_;
  // By lane; the first one alone if the bus is shared.
  std::array<absl::Time, 2> free_at_ = {absl::InfinitePast(),
                                        absl::InfinitePast()};
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CPU_LINK_MODEL_H_
