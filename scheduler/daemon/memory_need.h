#ifndef HYDRA_SCHEDULER_DAEMON_MEMORY_NEED_H_
#define HYDRA_SCHEDULER_DAEMON_MEMORY_NEED_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "hydra/config/v1/daemon.pb.h"

namespace hydra {

// How much memory there is for all.
struct MemoryThere {
  int64_t machine_bytes = 0;
  // The limit of the cgroup, if there is one.
  std::optional<int64_t> cgroup_bytes;
};

// Whether the limits of all CPU devices, which take host memory, and the pool,
// if it is memory, can be had together. What libraries and everything else
// need comes beside and is not counted. Pure.
//
// RESOURCE_EXHAUSTED: no; the message has the numbers.
absl::Status CheckMemoryNeed(const config::v1::DaemonConfig& config,
                             bool pool_is_memory, const MemoryThere& there);

// The same for this machine. A pool without a path is memory.
absl::Status CheckMemoryNeedHere(const config::v1::DaemonConfig& config);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_MEMORY_NEED_H_
