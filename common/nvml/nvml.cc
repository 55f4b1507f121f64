#include "common/nvml/nvml.h"

#include <array>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

constexpr double kPercent = 0.01;
constexpr double kMilli = 0.001;
constexpr unsigned kNameBytes = 96;

}  // namespace

absl::StatusOr<std::unique_ptr<Nvml>> Nvml::Open(const NvmlTable& table) {
  auto nvml = std::unique_ptr<Nvml>(new Nvml(table));
  if (const int error = table.init(); error != kNvmlSuccess) {
    return absl::FailedPreconditionError(nvml->ErrorText("nvmlInit", error));
  }
  return nvml;
}

// After an init that failed it does nothing.
Nvml::~Nvml() { table_.shutdown(); }

absl::StatusOr<int> Nvml::DeviceCount() const {
  unsigned count = 0;
  if (const int error = table_.device_get_count(&count);
      error != kNvmlSuccess) {
    return absl::FailedPreconditionError(
        ErrorText("nvmlDeviceGetCount", error));
  }
  return static_cast<int>(count);
}

absl::StatusOr<NvmlDevice> Nvml::Find(const std::string& pci_bus_id) const {
  NvmlDevice device = nullptr;
  const int error =
      table_.device_get_handle_by_pci_bus_id(pci_bus_id.c_str(), &device);
  if (error == kNvmlSuccess) return device;
  return absl::NotFoundError(absl::StrCat(
      ErrorText("nvmlDeviceGetHandleByPciBusId", error), ": ", pci_bus_id));
}

absl::StatusOr<NvmlDevice> Nvml::FindVisible(const std::string& entry) const {
  NvmlDevice device = nullptr;
  unsigned index = 0;
  const int error =
      absl::SimpleAtoi(entry, &index)
          ? table_.device_get_handle_by_index(index, &device)
          : table_.device_get_handle_by_uuid(entry.c_str(), &device);
  if (error == kNvmlSuccess) return device;
  return absl::NotFoundError(
      absl::StrCat(ErrorText("nvmlDeviceGetHandle", error), ": ", entry));
}

GpuReading Nvml::Read(NvmlDevice device) const {
  GpuReading reading;
  NvmlUtilization use;
  if (table_.device_get_utilization_rates(device, &use) == kNvmlSuccess) {
    reading.use = use.gpu * kPercent;
  }
  NvmlMemory memory;
  if (table_.device_get_memory_info(device, &memory) == kNvmlSuccess) {
    reading.memory_used_bytes = static_cast<int64_t>(memory.used);
    reading.memory_total_bytes = static_cast<int64_t>(memory.total);
  }
  unsigned milliwatts = 0;
  if (table_.device_get_power_usage(device, &milliwatts) == kNvmlSuccess) {
    reading.watts = milliwatts * kMilli;
  }
  unsigned long long millijoules = 0;  // NOLINT(runtime/int)
  if (table_.device_get_total_energy_consumption(device, &millijoules) ==
      kNvmlSuccess) {
    reading.joules = static_cast<double>(millijoules) * kMilli;
  }
  return reading;
}

std::string Nvml::NameOf(NvmlDevice device) const {
  std::array<char, kNameBytes> name{};
  if (table_.device_get_name(device, name.data(), kNameBytes) != kNvmlSuccess) {
    return "";
  }
  return name.data();
}

std::string Nvml::ErrorText(absl::string_view call, int error) const {
  return absl::StrCat(call, ": ", table_.error_string(error), " (", error, ")");
}

}  // namespace hydra
