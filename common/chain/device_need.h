#ifndef HYDRA_COMMON_CHAIN_DEVICE_NEED_H_
#define HYDRA_COMMON_CHAIN_DEVICE_NEED_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "common/chain/job_shape.h"
#include "common/chain/layer_range.h"

namespace hydra {

// Pure: what passes over consecutive layers take of a device at once, for
// plans: it follows from the table alone (LayerMemory), before anything ran. A
// job's own cut points are a pilot's, which measures. Attention is taken to
// make all scores of a sequence, as it does on a GPU and with dropout; without,
// on a CPU device it takes less.

// Of a device's memory, one part in so many is left free: memory may lie more
// scattered when a task runs than it was seen to, or reckoned.
inline constexpr int64_t kScatterShare = 50;
inline int64_t RoomOn(int64_t memory_limit_bytes) {
  return memory_limit_bytes - memory_limit_bytes / kScatterShare;
}
// The least limit with so much room.
int64_t LimitFor(int64_t room_bytes);

// Bytes, at the worst moment of a FORWARD, of a BACKWARD or TURN, and of an
// EVALUATE, on a device with `room_bytes` for a shard, by which a table may
// come in ranges (StreamedBlock).
struct DeviceNeed {
  int64_t forward = 0;
  int64_t backward = 0;
  int64_t evaluate = 0;

  int64_t most() const;
};
DeviceNeed DeviceNeedOf(const JobShape& shape, const LayerRange& layers,
                        int64_t room_bytes);

// As few shards as fit, each as long as it can be, from the first layer on
// (Algorithm 1 of Hydra's paper); none: a layer does not fit alone.
std::optional<std::vector<LayerRange>> LongestShards(const JobShape& shape,
                                                     int64_t room_bytes);

// The least room in which every layer fits alone.
int64_t LeastRoom(const JobShape& shape);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_DEVICE_NEED_H_
