#include "scheduler/daemon/memory_need.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/pool/host_memory.h"

namespace hydra {
namespace {

// Sums of any configured sizes fit it, and are good for messages.
using Bytes = double;

std::string Numbers(int devices, Bytes device_bytes, Bytes pool_bytes) {
  return absl::StrCat(
      "devices: the memory limits of ", devices, " CPU devices are ",
      static_cast<uint64_t>(device_bytes), " B together",
      pool_bytes == 0 ? ""
                      : absl::StrCat(" and the pool has ",
                                     static_cast<uint64_t>(pool_bytes), " B"));
}

bool IsMemory(const config::v1::DaemonConfig& config) {
  if (config.pool().path().empty()) return true;
  const auto folder = std::filesystem::path(config.pool().path()).parent_path();
  struct statfs info = {};
  return statfs(folder.c_str(), &info) == 0 && info.f_type == TMPFS_MAGIC;
}

}  // namespace

absl::Status CheckMemoryNeed(const config::v1::DaemonConfig& config,
                             bool pool_is_memory, const MemoryThere& there) {
  Bytes device_bytes = 0;
  int devices = 0;
  for (const config::v1::DeviceConfig& device : config.devices()) {
    if (!absl::StartsWith(device.name(), "cpu:")) continue;
    device_bytes += device.memory_limit_bytes();
    ++devices;
  }
  const Bytes pool_bytes = pool_is_memory ? config.pool().size_bytes() : 0;
  const Bytes needed = device_bytes + pool_bytes;
  const std::string numbers = Numbers(devices, device_bytes, pool_bytes);
  if (needed > there.machine_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        numbers, ", but this machine has ", there.machine_bytes,
        " B of memory in all; configure fewer devices, lower limits or a "
        "smaller pool"));
  }
  if (there.cgroup_bytes.has_value() && needed > *there.cgroup_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        numbers, ", but the memory cgroup allows ", *there.cgroup_bytes,
        " B in all; configure fewer devices, lower limits or a smaller pool, "
        "or raise the memory limit of the container or service"));
  }
  return absl::OkStatus();
}

absl::Status CheckMemoryNeedHere(const config::v1::DaemonConfig& config) {
  const HostMemoryPaths paths;
  const absl::StatusOr<int64_t> machine_bytes = MemTotalBytes(paths);
  if (!machine_bytes.ok()) return machine_bytes.status();
  return CheckMemoryNeed(config, IsMemory(config),
                         {*machine_bytes, CgroupLimitBytes(paths)});
}

}  // namespace hydra
