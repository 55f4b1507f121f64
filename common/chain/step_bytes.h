#ifndef HYDRA_COMMON_CHAIN_STEP_BYTES_H_
#define HYDRA_COMMON_CHAIN_STEP_BYTES_H_

#include "common/chain/job_shape.h"
#include "hydra/v1/job.pb.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// Pure: what one step moves between host and device if the device keeps nothing
// from one task to the next. docs/design.md has it as a formula. What lies in
// no block, a batch's tokens and the rows that are gathered of a table on the
// host, is not in it.
struct StepBytes {
  hydra::v1::KindBytes promoted;
  hydra::v1::KindBytes demoted;
};

// `updates`: HOST or DEVICE, where parameters are updated. Optimizer state is
// taken to be there: that of a job's first step is zero, and is not promoted.
// Gradients that wait to be clipped go to the host, which updates with them.
// Requires shape.shards.
StepBytes PredictStepBytes(const JobShape& shape,
                           hydra::v1::UpdatePlace updates);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_STEP_BYTES_H_
