#include "worker/exec/trial_task.h"

#include "common/chain/block_key.h"
#include "common/chain/chain_task.h"

namespace hydra {

worker::v1::Task TrialTask(const JobShape& shape, worker::v1::TaskKind kind,
                           const LayerRange& layers, int count) {
  const ChainTask pass = PassTask(shape, kind, layers, count);
  worker::v1::Task task = ToMessage(pass);
  for (const BlockKey& key : pass.reads) {
    worker::v1::BlockVersion& read = *task.add_reads();
    SetBlockKey(key, read);
    read.set_size_bytes(BlockBytes(shape, kind, key));
  }
  for (const BlockWrite& write : pass.writes) {
    worker::v1::BlockVersion& made = *task.add_writes();
    SetBlockKey(write.key, made);
    made.set_size_bytes(write.size_bytes);
    made.set_offset_bytes(kMadeOffset);
  }
  return task;
}

}  // namespace hydra
