#ifndef HYDRA_WORKER_EXEC_INIT_PASS_H_
#define HYDRA_WORKER_EXEC_INIT_PASS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/model/model_table.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/block_io.h"
#include "worker/task/task_control.h"

namespace hydra {

// INIT: fills the parameter blocks that the task writes, straight in the pool,
// from the model directory's checkpoint or from each tensor's own random
// stream; adapters from the latter always. What has another type there than its
// block has is rounded to the nearest number of that. Of a block with a master,
// which the task writes the state of, too, the master has the number itself,
// and moments are zero. Needs no device memory. Returns how many bytes it
// filled. With a restore_dir RunRestorePass fills all blocks but the frozen
// ones.
//
// INVALID_ARGUMENT: MatchWeights finds mistakes in the checkpoint, or a value
// is
//   beyond its block's type.
// PERMISSION_DENIED: a file of the checkpoint really lies outside of the job's
//   read_roots.
// ABORTED: `control` says so; the blocks hold anything.
// Others: as WeightDirectory::Open and Read.
absl::StatusOr<int64_t> RunInitPass(const worker::v1::Task& task,
                                    const worker::v1::JobContext& job,
                                    const ModelTable& table,
                                    const HostRange& host,
                                    TaskControl* control);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_INIT_PASS_H_
