#ifndef HYDRA_WORKER_DEVICE_ARENA_C10_ALLOCATOR_H_
#define HYDRA_WORKER_DEVICE_ARENA_C10_ALLOCATOR_H_

#include <cstddef>
#include <memory>

#include "worker/device/device_arena.h"

namespace hydra {

// Memory for a tensor. Null for no bytes. When nothing fits, throws
// c10::OutOfMemoryError with the numbers.
void* AllocateOrThrow(DeviceArena& arena, size_t bytes);

// From now on every CPU tensor of this process that LibTorch allocates lies in
// `arena`, whichever thread makes it: a CPU tensor is device memory, and host
// memory is reached as views of the pool alone. They are made as
// AllocateOrThrow says.
//
// A later call replaces the arena for new tensors; older ones go back to
// theirs. So the arena, which is returned, lives as long as the process. Call
// before other threads use LibTorch.
DeviceArena* UseArenaForCpuTensors(std::unique_ptr<DeviceArena> arena);

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_ARENA_C10_ALLOCATOR_H_
