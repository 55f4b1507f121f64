#ifndef HYDRA_SCHEDULER_CORE_NEXT_TASK_H_
#define HYDRA_SCHEDULER_CORE_NEXT_TASK_H_

#include "common/chain/chain_task.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/job.h"

namespace hydra {

// The task that comes behind the job's outstanding ones: that of its chain, but
// for frozen blocks which it has already, which no INIT need fill again. Pure.
//
// Requires a job in its chain, with a next task.
ChainTask NextTask(const Job& job, const BlockTable& blocks);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_NEXT_TASK_H_
