#ifndef HYDRA_COMMON_JOBFILE_DEVICE_FLAG_H_
#define HYDRA_COMMON_JOBFILE_DEVICE_FLAG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace hydra {

// One device as --device names it, of hydrad and of `hydra run` alike.
struct DeviceFlag {
  std::string name;
  std::optional<int64_t> memory_limit_bytes;
  // Of a modelled link, in either direction.
  std::optional<double> link_gb_per_second;
};

// Devices one after the other, each a name, and maybe its memory and its link:
// "cpu:0=1GiB,link=8,cpu:1". The flag may be repeated, and split at any comma.
// Whether a name is one is not looked at. Pure.
//
// INVALID_ARGUMENT: a size or a speed is none, or a link has no device.
absl::StatusOr<std::vector<DeviceFlag>> ParseDeviceFlags(
    absl::Span<const std::string> flags);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_DEVICE_FLAG_H_
