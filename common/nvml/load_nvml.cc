#include "common/nvml/load_nvml.h"

#include <dlfcn.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

// Null and a status, once, if there is none of that name.
template <typename Function>
void Find(void* library, const char* name, Function& function,
          absl::Status& status) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) {
    status.Update(absl::FailedPreconditionError(
        absl::StrCat("NVIDIA's driver is too old: its NVML has no ", name)));
  }
}

}  // namespace

absl::StatusOr<NvmlTable> LoadNvml(const char* library_name) {
  void* const library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("NVIDIA's driver is not installed: ", dlerror()));
  }
  NvmlTable table{};
  absl::Status status;
  Find(library, "nvmlInit_v2", table.init, status);
  Find(library, "nvmlShutdown", table.shutdown, status);
  Find(library, "nvmlErrorString", table.error_string, status);
  Find(library, "nvmlDeviceGetCount_v2", table.device_get_count, status);
  Find(library, "nvmlDeviceGetHandleByIndex_v2",
       table.device_get_handle_by_index, status);
  Find(library, "nvmlDeviceGetHandleByUUID", table.device_get_handle_by_uuid,
       status);
  Find(library, "nvmlDeviceGetHandleByPciBusId_v2",
       table.device_get_handle_by_pci_bus_id, status);
  Find(library, "nvmlDeviceGetName", table.device_get_name, status);
  Find(library, "nvmlDeviceGetUtilizationRates",
       table.device_get_utilization_rates, status);
  Find(library, "nvmlDeviceGetMemoryInfo", table.device_get_memory_info,
       status);
  Find(library, "nvmlDeviceGetPowerUsage", table.device_get_power_usage,
       status);
  Find(library, "nvmlDeviceGetTotalEnergyConsumption",
       table.device_get_total_energy_consumption, status);
  if (!status.ok()) return status;
  return table;
}

}  // namespace hydra
