#ifndef HYDRA_SCHEDULER_CORE_DEVICE_OPTIONS_H_
#define HYDRA_SCHEDULER_CORE_DEVICE_OPTIONS_H_

#include <cstdint>
#include <string>

namespace hydra {

// The device that a worker drives, as configured.
struct DeviceOptions {
  // "cpu:0"
  std::string name;
  int64_t memory_limit_bytes = 0;
  int threads = 1;
  // What the machine calls it; what was measured on another is not believed.
  std::string model;
  // Its memory is not the host's: what the host makes has to come to it.
  bool has_own_memory = false;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_DEVICE_OPTIONS_H_
