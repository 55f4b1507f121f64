// A library in place of the driver's. $HYDRA_FAKE_GPUS says how many GPUs there
// are; what else they have is always the same.

#include <cstdio>
#include <cstdlib>

#include "common/nvml/nvml_table.h"

namespace {

constexpr int kNotFound = 6;

unsigned Count() {
  const char* const count = std::getenv("HYDRA_FAKE_GPUS");
  return count == nullptr ? 0 : std::atoi(count);
}

}  // namespace

extern "C" {

int nvmlInit_v2() { return 0; }
int nvmlShutdown() { return 0; }
const char* nvmlErrorString(int) { return "some words"; }
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = Count();
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, hydra::NvmlDevice* device) {
  *device = nullptr;
  return index < Count() ? 0 : kNotFound;
}
int nvmlDeviceGetHandleByUUID(const char*, hydra::NvmlDevice*) {
  return kNotFound;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char*, hydra::NvmlDevice* device) {
  if (Count() == 0) return kNotFound;
  *device = nullptr;
  return 0;
}
int nvmlDeviceGetName(hydra::NvmlDevice, char* name, unsigned bytes) {
  std::snprintf(name, bytes, "Fake GPU");
  return 0;
}
int nvmlDeviceGetUtilizationRates(hydra::NvmlDevice,
                                  hydra::NvmlUtilization* use) {
  use->gpu = 50;
  return 0;
}
int nvmlDeviceGetMemoryInfo(hydra::NvmlDevice, hydra::NvmlMemory* memory) {
  *memory = {1 << 30, 1 << 29, 1 << 29};
  return 0;
}
int nvmlDeviceGetPowerUsage(hydra::NvmlDevice, unsigned* power) {
  *power = 100'000;
  return 0;
}
int nvmlDeviceGetTotalEnergyConsumption(
    hydra::NvmlDevice, unsigned long long* energy) {  // NOLINT(runtime/int)
  *energy = 1000;
  return 0;
}

}  // extern "C"
