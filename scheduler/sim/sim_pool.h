#ifndef HYDRA_SCHEDULER_SIM_SIM_POOL_H_
#define HYDRA_SCHEDULER_SIM_SIM_POOL_H_

#include <cstdint>
#include <map>
#include <string>

#include "common/chain/block_key.h"
#include "common/ids/ids.h"
#include "hydra/journal/v1/journal.pb.h"

namespace hydra {

// What a slot of a simulated machine holds: which version, and a number that
// stands for its bytes. The number follows from those that the version was
// computed from, so equal numbers at the end mean equal training.
struct SimBytes {
  uint64_t version = 0;
  uint64_t content = 0;
};

// By offset.
using SimPool = std::map<int64_t, SimBytes>;

// The simulated disk's checkpoints, by path: the contents by block. One that is
// damaged is there and cannot be read.
struct SimCheckpoint {
  JobId job;
  journal::v1::CheckpointRecord record;
  std::map<BlockKey, uint64_t> contents;
  bool damaged = false;
  // For the time being.
  bool unreadable = false;
};
using SimCheckpoints = std::map<std::string, SimCheckpoint>;

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_POOL_H_
