#ifndef HYDRA_SCHEDULER_DAEMON_ALL_GPUS_H_
#define HYDRA_SCHEDULER_DAEMON_ALL_GPUS_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hydra/config/v1/daemon.pb.h"

namespace hydra {

// Puts one device for each GPU in the place of one that is named "cuda:all",
// each with that one's other fields. `count` is asked once if there is such a
// device, and else not.
//
// FAILED_PRECONDITION: there is no GPU; says what was found.
absl::Status ExpandAllGpus(const std::function<absl::StatusOr<int>()>& count,
                           config::v1::DaemonConfig* config);

// How many GPUs "cuda:N" can name: of the machine's `count`, those that
// CUDA_VISIBLE_DEVICES lists up to the first that CUDA would not take. Pure.
int VisibleGpus(int count, const std::optional<std::string>& visible);

// The same of this machine. Asks the driver's library, and opens no GPU.
//
// NOT_FOUND, FAILED_PRECONDITION: there is no driver, or it refuses.
absl::StatusOr<int> CountGpus();

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_ALL_GPUS_H_
