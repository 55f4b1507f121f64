#ifndef HYDRA_WORKER_EXEC_TRIAL_TASK_H_
#define HYDRA_WORKER_EXEC_TRIAL_TASK_H_

#include <cstdint>

#include "common/chain/job_shape.h"
#include "common/chain/layer_range.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Where the pool's offsets of what a trial makes begin; those of what it reads
// are 0.
inline constexpr int64_t kMadeOffset = int64_t{1} << 60;

// The pilot's stand-in for the task that runs later: it reads and makes what
// the daemon's task of this kind does over these layers, see PassTask, in
// versions without numbers that all lie in two places.
worker::v1::Task TrialTask(const JobShape& shape, worker::v1::TaskKind kind,
                           const LayerRange& layers, int count);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_TRIAL_TASK_H_
