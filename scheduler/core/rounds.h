#ifndef HYDRA_SCHEDULER_CORE_ROUNDS_H_
#define HYDRA_SCHEDULER_CORE_ROUNDS_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "common/chain/job_shape.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// Into how many rounds of micro-batches a job's steps are divided. More of them
// need less of the pool for boundaries, and from two on all gradients wait in
// it. Pure; all require shape.shards, and take shape.rounds as the fewest.

// The fewest rounds whose demand fits, if one does; else those that need least.
// `fits`: asked about some demands, of which it takes the smaller one if it
// takes a larger one.
int RoundsThatFit(const JobShape& shape,
                  absl::FunctionRef<bool(const hydra::v1::PoolDemand&)> fits);

// The demands with as few rounds as there may be, and with as many: if any
// number of rounds fits, one of these does. One, if there is no choice.
std::vector<hydra::v1::PoolDemand> DemandsInRounds(const JobShape& shape);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_ROUNDS_H_
