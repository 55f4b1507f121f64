#include "scheduler/core/next_task.h"

#include <algorithm>

#include "common/chain/task_chain.h"

namespace hydra {

ChainTask NextTask(const Job& job, const BlockTable& blocks) {
  ChainTask task = TaskAt(job.shape, job.plan, job.NextPosition());
  if (task.kind != worker::v1::TASK_KIND_INIT) return task;
  const auto is_there = [&](const BlockWrite& write) {
    return IsFrozen(*job.shape.table, write.key) &&
           blocks.Find(job.id, write.key) != nullptr;
  };
  task.writes.erase(
      std::remove_if(task.writes.begin(), task.writes.end(), is_there),
      task.writes.end());
  return task;
}

}  // namespace hydra
