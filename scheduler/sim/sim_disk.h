#ifndef HYDRA_SCHEDULER_SIM_SIM_DISK_H_
#define HYDRA_SCHEDULER_SIM_SIM_DISK_H_

#include "scheduler/journal/memory_record_store.h"
#include "scheduler/sim/sim_pool.h"

namespace hydra {

// What a simulated daemon leaves behind when it dies.
struct SimDisk {
  MemoryRecordStore jobs;
  // Lives as long as the pool.
  MemoryRecordStore pool;
  SimCheckpoints checkpoints;
};

// Rewrites the pool's journal as an earlier daemon would have: with a record
// for each block.
void RecordEachBlock(SimDisk& disk);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_SIM_DISK_H_
