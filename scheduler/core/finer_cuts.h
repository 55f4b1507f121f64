#ifndef HYDRA_SCHEDULER_CORE_FINER_CUTS_H_
#define HYDRA_SCHEDULER_CORE_FINER_CUTS_H_

#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/chain/job_shape.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// Further cuts for a job whose shards write too much at once for the pool: a
// shard that fits a device fits it in parts too. Pure.
//
// The cut points with which the job's demand fits, in some number of rounds:
// those of shape.shards, and as few more as it takes, each through the middle
// of the shard that writes most. Absent: there are none. `fits`: as of
// RoundsThatFit.
std::optional<std::vector<int>> FinerCuts(
    JobShape shape, absl::FunctionRef<bool(const hydra::v1::PoolDemand&)> fits);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_FINER_CUTS_H_
