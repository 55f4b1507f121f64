#ifndef HYDRA_COMMON_CHAIN_KIND_BYTES_H_
#define HYDRA_COMMON_CHAIN_KIND_BYTES_H_

#include <cstdint>

#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Bytes of blocks, counted by kind. Pure.

// Those of other kinds are not counted.
void AddBytes(worker::v1::BlockKind kind, int64_t bytes,
              hydra::v1::KindBytes& sum);

// Adds all of `more`.
void AddBytes(const hydra::v1::KindBytes& more, hydra::v1::KindBytes& sum);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_KIND_BYTES_H_
