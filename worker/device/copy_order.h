#ifndef HYDRA_WORKER_DEVICE_COPY_ORDER_H_
#define HYDRA_WORKER_DEVICE_COPY_ORDER_H_

#include <cstddef>

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

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_COPY_ORDER_H_
