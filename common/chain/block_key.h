#ifndef HYDRA_COMMON_CHAIN_BLOCK_KEY_H_
#define HYDRA_COMMON_CHAIN_BLOCK_KEY_H_

#include <tuple>

#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Names one block of a job: its kind, which one of that kind (a parameter block
// or a boundary, see worker.proto), and for boundaries the micro-batch.
struct BlockKey {
  hydra::worker::v1::BlockKind kind = hydra::worker::v1::BLOCK_KIND_UNSPECIFIED;
  int index = 0;
  int micro_batch = 0;

  friend bool operator==(const BlockKey& a, const BlockKey& b) {
    return std::tie(a.kind, a.index, a.micro_batch) ==
           std::tie(b.kind, b.index, b.micro_batch);
  }
  friend bool operator<(const BlockKey& a, const BlockKey& b) {
    return std::tie(a.kind, a.index, a.micro_batch) <
           std::tie(b.kind, b.index, b.micro_batch);
  }
  template <typename H>
  friend H AbslHashValue(H state, const BlockKey& key) {
    return H::combine(std::move(state), static_cast<int>(key.kind), key.index,
                      key.micro_batch);
  }
};

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_BLOCK_KEY_H_
