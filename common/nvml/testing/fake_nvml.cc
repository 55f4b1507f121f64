#include "common/nvml/testing/fake_nvml.h"

#include <cstdio>

namespace hydra {
namespace {

constexpr int kNotFound = 6;

FakeNvml::Gpu& GpuOf(NvmlDevice device) {
  return *reinterpret_cast<FakeNvml::Gpu*>(device);
}

int Refusal() { return TheFakeNvml().refusal; }

}  // namespace

FakeNvml& TheFakeNvml() {
  static auto* const fake = new FakeNvml;
  return *fake;
}

NvmlTable FakeNvmlTable() {
  NvmlTable table{};
  table.init = [] {
    if (Refusal() == 0) ++TheFakeNvml().open;
    return Refusal();
  };
  table.shutdown = [] {
    if (TheFakeNvml().open > 0) --TheFakeNvml().open;
    return 0;
  };
  table.error_string = [](int) { return "some words"; };
  table.device_get_count = [](unsigned* count) {
    *count = TheFakeNvml().gpus.size();
    return Refusal();
  };
  table.device_get_handle_by_index = [](unsigned index, NvmlDevice* device) {
    for (auto& [place, gpu] : TheFakeNvml().gpus) {
      *device = reinterpret_cast<NvmlDevice>(&gpu);
      if (index-- == 0) return Refusal();
    }
    return kNotFound;
  };
  table.device_get_handle_by_uuid = [](const char* uuid, NvmlDevice* device) {
    for (auto& [place, gpu] : TheFakeNvml().gpus) {
      *device = reinterpret_cast<NvmlDevice>(&gpu);
      if (gpu.uuid == uuid) return Refusal();
    }
    return kNotFound;
  };
  table.device_get_handle_by_pci_bus_id = [](const char* id,
                                             NvmlDevice* device) {
    const auto found = TheFakeNvml().gpus.find(id);
    if (found == TheFakeNvml().gpus.end()) return kNotFound;
    *device = reinterpret_cast<NvmlDevice>(&found->second);
    return Refusal();
  };
  table.device_get_name = [](NvmlDevice device, char* name, unsigned bytes) {
    std::snprintf(name, bytes, "%s", GpuOf(device).name.c_str());
    return Refusal();
  };
  table.device_get_utilization_rates = [](NvmlDevice device,
                                          NvmlUtilization* use) {
    use->gpu = GpuOf(device).use_percent;
    return Refusal();
  };
  table.device_get_memory_info = [](NvmlDevice device, NvmlMemory* memory) {
    *memory = GpuOf(device).memory;
    return Refusal();
  };
  table.device_get_power_usage = [](NvmlDevice device, unsigned* power) {
    *power = GpuOf(device).milliwatts;
    return Refusal();
  };
  table.device_get_total_energy_consumption =
      [](NvmlDevice device, unsigned long long* energy) {  // NOLINT
        if (!GpuOf(device).counts_energy) return kNvmlNotSupported;
        *energy = GpuOf(device).millijoules;
        return Refusal();
      };
  return table;
}

}  // namespace hydra
