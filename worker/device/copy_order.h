#ifndef HYDRA_WORKER_DEVICE_COPY_ORDER_H_
#define HYDRA_WORKER_DEVICE_COPY_ORDER_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "worker/device/device.h"

namespace hydra {

// What decides which copies of one lane must wait for those of the other, see
// Device. Pure.

inline CopyLane Other(CopyLane lane) {
  return lane == CopyLane::kPromote ? CopyLane::kDemote : CopyLane::kPromote;
}

inline bool Overlap(absl::Span<const std::byte> a,
                    absl::Span<const std::byte> b) {
  return a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
}

// The number of the newest copy of a lane that uses some of `host`; 0: none.
// `copies` are those not done, in order, of which the first is `done` + 1;
// `host_of` says what host memory one uses.
template <typename Copies, typename HostOf>
uint64_t NewestUse(const Copies& copies, uint64_t done,
                   absl::Span<const std::byte> host, const HostOf& host_of) {
  for (size_t i = copies.size(); i > 0; --i) {
    if (Overlap(host_of(copies[i - 1]), host)) return done + i;
  }
  return 0;
}

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_COPY_ORDER_H_
