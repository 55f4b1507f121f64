#ifndef HYDRA_SCHEDULER_CORE_RESIDENCY_H_
#define HYDRA_SCHEDULER_CORE_RESIDENCY_H_

#include <cstdint>

#include "scheduler/core/block_table.h"
#include "scheduler/core/job.h"
#include "scheduler/core/worker_record.h"

namespace hydra {

// Bytes that the job's next task reads and that need not be copied to the
// worker's device: its newest message lists them, or tasks that are in its hand
// make them there. Linear in what the task reads. Pure.
//
// Requires a job in its chain, with a next task.
int64_t ResidentBytes(const WorkerRecord& worker, const BlockTable& blocks,
                      const Job& job);

// Whether the job's next task reads frozen parameters for which `last`, a task
// of a job with the same base, has them on its device: half of what it reads of
// them at least. Pure.
//
// Requires a job in its chain that has a task at `next`.
bool ReadsSameBase(const Job& job, const ChainPosition& next,
                   const ChainTask& last);

// Whether the job's next task needs what the host has yet to make of the
// gradients of tasks that are out, and none of them needs it before: it would
// wait for the slowest way there is, to the host and back; but for little, as
// adapters are. Never on a device whose memory is the host's. Pure.
//
// Requires a job in its chain, with a next task.
bool WaitsForHost(const WorkerRecord& worker, const Job& job);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_RESIDENCY_H_
