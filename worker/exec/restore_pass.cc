#include "worker/exec/restore_pass.h"

#include "absl/status/statusor.h"
#include "common/chain/block_key.h"
#include "common/chain/chain_task.h"
#include "common/checkpoint/block_layout.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/file/private_places.h"
#include "worker/exec/job_access.h"

namespace hydra {
namespace {

bool IsElsewhere(const ModelTable& table, const BlockKey& key) {
  return IsFrozen(table, key) && !IsRestored(table, key.index);
}

}  // namespace

absl::StatusOr<int64_t> RunRestorePass(const worker::v1::Task& task,
                                       const worker::v1::JobContext& job,
                                       const ModelTable& table,
                                       const HostRange& host,
                                       TaskControl* control) {
  const absl::StatusOr<CheckpointReader> checkpoint = CheckpointReader::Open(
      task.restore_dir(), WriterOf(task.restore_dir(), OwnerOf(job)));
  if (!checkpoint.ok()) return checkpoint.status();
  int64_t filled_bytes = 0;
  for (const worker::v1::BlockVersion& version : task.writes()) {
    const BlockKey key = BlockKeyOf(version);
    if (IsElsewhere(table, key)) continue;
    if (absl::Status on = control->Advance(); !on.ok()) return on;
    absl::Status read = checkpoint->ReadBlock(
        key, table, host(version.offset_bytes(), version.size_bytes()));
    if (!read.ok()) return read;
    filled_bytes += version.size_bytes();
  }
  return filled_bytes;
}

}  // namespace hydra
