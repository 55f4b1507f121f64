#ifndef HYDRA_COMMON_NVML_NVML_TABLE_H_
#define HYDRA_COMMON_NVML_NVML_TABLE_H_

namespace hydra {

// What an NVML handle points to is its own.
struct NvmlDeviceObject;
using NvmlDevice = NvmlDeviceObject*;

// nvmlReturn_t values that Hydra tells apart.
constexpr int kNvmlSuccess = 0;
constexpr int kNvmlNotSupported = 3;

// Laid out as nvmlUtilization_t, in percent, and as nvmlMemory_t, in bytes.
struct NvmlUtilization {
  unsigned gpu = 0;
  unsigned memory = 0;
};
struct NvmlMemory {
  unsigned long long total = 0;  // NOLINT(runtime/int)
  unsigned long long free = 0;   // NOLINT(runtime/int)
  unsigned long long used = 0;   // NOLINT(runtime/int)
};

// The functions of NVML, the library of NVIDIA's driver that tells about GPUs,
// that Hydra uses; each as the one that its name is taken from, and what they
// return is an nvmlReturn_t. It comes with the driver alone, so it is loaded,
// and not linked. Unlike CUDA, it takes no memory of a GPU.
struct NvmlTable {
  int (*init)();
  int (*shutdown)();
  const char* (*error_string)(int error);
  int (*device_get_count)(unsigned* count);
  // In the order of nvidia-smi.
  int (*device_get_handle_by_index)(unsigned index, NvmlDevice* device);
  // "GPU-6d5c...".
  int (*device_get_handle_by_uuid)(const char* uuid, NvmlDevice* device);
  // "0000:3B:00.0", in any case.
  int (*device_get_handle_by_pci_bus_id)(const char* id, NvmlDevice* device);
  int (*device_get_name)(NvmlDevice device, char* name, unsigned bytes);
  int (*device_get_utilization_rates)(NvmlDevice device, NvmlUtilization* use);
  int (*device_get_memory_info)(NvmlDevice device, NvmlMemory* memory);
  // Milliwatts, and millijoules since the driver was loaded.
  int (*device_get_power_usage)(NvmlDevice device, unsigned* power);
  int (*device_get_total_energy_consumption)(
      NvmlDevice device,
      unsigned long long* energy);  // NOLINT(runtime/int)
};

}  // namespace hydra

#endif  // HYDRA_COMMON_NVML_NVML_TABLE_H_
