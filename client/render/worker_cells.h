#ifndef HYDRA_CLIENT_RENDER_WORKER_CELLS_H_
#define HYDRA_CLIENT_RENDER_WORKER_CELLS_H_

#include <string>

#include "hydra/v1/status.pb.h"

namespace hydra {

// Table cells of a worker, the same wherever workers are listed. A dash where
// it is not known. Pure.

// "ready"; of one that operators drained "draining" while it has tasks, then
// "drained".
std::string WorkerStateText(const v1::WorkerStatus& worker);
// Whether it has tasks in its hand.
bool HasTasks(const v1::WorkerStatus& worker);

// How full its lanes were lately: "84%".
std::string ComputingText(const v1::WorkerStatus& worker);
std::string PromotingText(const v1::WorkerStatus& worker);
std::string DemotingText(const v1::WorkerStatus& worker);

// What the driver says of its GPU: use and power "87%, 312 W", the card's
// memory "31.0 of 40.0 GiB".
std::string GpuUseText(const v1::WorkerStatus& worker);
std::string GpuMemoryText(const v1::WorkerStatus& worker);

// The three in words: "computing 84%, in 31%, out 22%"; without those that are
// not known.
std::string LanesText(const v1::WorkerStatus& worker);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_WORKER_CELLS_H_
