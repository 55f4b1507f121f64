#ifndef HYDRA_WORKER_EXEC_RESTORE_PASS_H_
#define HYDRA_WORKER_EXEC_RESTORE_PASS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/model/model_table.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/block_io.h"
#include "worker/task/task_control.h"

namespace hydra {

// INIT from the checkpoint in the task's restore_dir: fills every block that
// the task writes, of whatever kind, straight in the pool, but for the
// parameters of frozen blocks: those are the model's own. Needs no device
// memory. Returns how many bytes it filled.
//
// Errors: as CheckpointReader::Open and ReadBlock; DATA_LOSS where the files
//   are not as they were written. ABORTED: `control` says so.
absl::StatusOr<int64_t> RunRestorePass(const worker::v1::Task& task,
                                       const worker::v1::JobContext& job,
                                       const ModelTable& table,
                                       const HostRange& host,
                                       TaskControl* control);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_RESTORE_PASS_H_
