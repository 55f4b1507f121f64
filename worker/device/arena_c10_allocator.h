#ifndef HYDRA_WORKER_DEVICE_ARENA_C10_ALLOCATOR_H_
#define HYDRA_WORKER_DEVICE_ARENA_C10_ALLOCATOR_H_

#include <memory>

#include "worker/device/device_arena.h"

namespace hydra {

// From now on every CPU tensor of this process that LibTorch allocates lies in
// `arena`, whichever thread makes it: a CPU tensor is device memory, and host
// memory is reached as views of the pool alone. When nothing fits, allocating
// throws c10::OutOfMemoryError with the numbers.
//
// A later call replaces the arena for new tensors; older ones go back to
// theirs. So the arena, which is returned, lives as long as the process. Call
// before other threads use LibTorch.
DeviceArena* UseArenaForCpuTensors(std::unique_ptr<DeviceArena> arena);

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_ARENA_C10_ALLOCATOR_H_
