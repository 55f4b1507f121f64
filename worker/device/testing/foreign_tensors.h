#ifndef HYDRA_WORKER_DEVICE_TESTING_FOREIGN_TENSORS_H_
#define HYDRA_WORKER_DEVICE_TESTING_FOREIGN_TENSORS_H_

#include <memory>

#include "c10/core/Device.h"
#include "worker/device/device_arena.h"

namespace hydra {

// A device of LibTorch's for tests (PrivateUse1), whose tensors are no CPU
// tensors. It computes what the processor computes: each operation copies its
// operands to the processor, and what it made back. But it refuses what a GPU
// refuses: operands of which some are on the CPU (unless one is a single number
// that is only read) throw c10::Error.
inline c10::Device ForeignTorchDevice() {
  return c10::Device(c10::DeviceType::PrivateUse1, 0);
}

// From now on that device's new tensors lie in `arena`, which is one of
// ForeignMemory, as UseArenaForCpuTensors says of the others. Returns the
// arena, which lives as long as the process.
DeviceArena* UseArenaForForeignTensors(std::unique_ptr<DeviceArena> arena);

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_TESTING_FOREIGN_TENSORS_H_
