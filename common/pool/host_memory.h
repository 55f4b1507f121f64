#ifndef HYDRA_COMMON_POOL_HOST_MEMORY_H_
#define HYDRA_COMMON_POOL_HOST_MEMORY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace hydra {

// Where the kernel tells about memory. Tests point these at files of their own.
struct HostMemoryPaths {
  std::string meminfo = "/proc/meminfo";
  std::string self_cgroup = "/proc/self/cgroup";
  std::string cgroup_v2_root = "/sys/fs/cgroup";
  std::string cgroup_v1_memory_root = "/sys/fs/cgroup/memory";
};

// What the kernel believes this machine could still give to programs without
// swapping: MemAvailable, in bytes.
//
// UNAVAILABLE: the file cannot be read or has no such line.
absl::StatusOr<int64_t> MemAvailableBytes(const HostMemoryPaths& paths);

// All memory of this machine: MemTotal, in bytes.
//
// UNAVAILABLE: the file cannot be read or has no such line.
absl::StatusOr<int64_t> MemTotalBytes(const HostMemoryPaths& paths);

// The limit of this process's memory cgroup, or the lowest of those around it,
// in bytes; none if no cgroup (v1 or v2) limits it.
std::optional<int64_t> CgroupLimitBytes(const HostMemoryPaths& paths);

// What this process's memory cgroup, or the tightest of those around it, could
// still take, in bytes and never below 0; none if no cgroup (v1 or v2) limits
// it. File cache that the kernel would drop first (inactive_file) counts as
// available: without that, reading a large checkpoint would look like a full
// container.
std::optional<int64_t> CgroupAvailableBytes(const HostMemoryPaths& paths);

}  // namespace hydra

#endif  // HYDRA_COMMON_POOL_HOST_MEMORY_H_
