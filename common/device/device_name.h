#ifndef HYDRA_COMMON_DEVICE_DEVICE_NAME_H_
#define HYDRA_COMMON_DEVICE_DEVICE_NAME_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace hydra {

enum class DeviceKind { kCpu, kCuda };

// What a configuration and a worker's --device call a device: "cpu:0",
// "cuda:1".
struct DeviceName {
  DeviceKind kind = DeviceKind::kCpu;
  // Of a GPU: which of those that hydrad may use.
  uint32_t number = 0;

  // "cpu:N or cuda:N".
  static constexpr absl::string_view kForms = "cpu:N or cuda:N";

  // One spelling for each device, so that names can be compared; none for
  // anything else.
  static std::optional<DeviceName> Parse(absl::string_view text);
};

}  // namespace hydra

#endif  // HYDRA_COMMON_DEVICE_DEVICE_NAME_H_
