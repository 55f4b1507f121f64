#include "scheduler/daemon/device_model.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/device/device_name.h"
#include "common/nvml/load_nvml.h"
#include "scheduler/daemon/device_environment.h"

namespace hydra {

std::string DeviceModel(
    const config::v1::DeviceConfig& device, const std::string& cpu,
    const std::function<std::string(const std::string& entry)>& gpu) {
  if (device.has_link()) {
    return absl::StrCat(cpu, ", link ", device.link().ShortDebugString());
  }
  const auto name = DeviceName::Parse(device.name());
  if (!name.has_value() || name->kind != DeviceKind::kCuda) return cpu;
  const std::string model = gpu(VisibleEntry(*name, OwnVariable));
  return model.empty() ? cpu : absl::StrCat(cpu, ", ", model);
}

std::string GpuModel(const Nvml& nvml, const std::string& entry) {
  const absl::StatusOr<NvmlDevice> device = nvml.FindVisible(entry);
  if (!device.ok()) return "";
  const int64_t bytes = nvml.Read(*device).memory_total_bytes.value_or(0);
  return absl::StrCat(nvml.NameOf(*device), ", ", bytes >> 20, " MiB");
}

std::string GpuModelOfDriver(const std::string& entry) {
  const absl::StatusOr<NvmlTable> table = LoadNvml();
  if (!table.ok()) return "";
  const auto nvml = Nvml::Open(*table);
  return nvml.ok() ? GpuModel(**nvml, entry) : "";
}

}  // namespace hydra
