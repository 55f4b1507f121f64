#ifndef HYDRA_COMMON_CHAIN_STREAMED_BLOCK_H_
#define HYDRA_COMMON_CHAIN_STREAMED_BLOCK_H_

#include <cstdint>

#include "common/chain/job_shape.h"
#include "common/chain/layer_range.h"

namespace hydra {

inline constexpr int kNoBlock = -1;

// The parameter block that passes over these layers take in ranges of rows, see
// RowStream; kNoBlock: none. It is the streamed_block of the shard's last
// layer, if only that layer of the shard uses it, and if it would not fit
// beside its gradient where there are `room_bytes` for a shard, and in ranges
// it takes less. Where it is held whole a pass computes less, so a device that
// has the room holds it.
//
// Pure. Each device decides for itself: what is computed has the same bits.
int StreamedBlock(const JobShape& shape, const LayerRange& layers,
                  int64_t room_bytes);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_STREAMED_BLOCK_H_
