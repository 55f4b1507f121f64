#ifndef HYDRA_WORKER_DEVICE_CUDA_CUDA_TORCH_H_
#define HYDRA_WORKER_DEVICE_CUDA_CUDA_TORCH_H_

#include <memory>

#include "absl/status/status.h"
#include "worker/device/cuda/module/cuda_module.h"
#include "worker/device/device_arena.h"

namespace hydra {

// Before the module is loaded, and before other threads are begun: sets in the
// environment what CUDA's libraries read there to compute the same bits each
// time, unless it is set already.
void SetCudaEnvironment();

// Makes LibTorch compute the same bits each time on a GPU, and in fp32 where
// fp32 is asked for, as in the sums of products of two bytes: deterministic
// algorithms alone, no TF32, no attention of cuDNN's. It throws where an
// operation has no such algorithm.
void UseExactCudaOperations();

// From now on every CUDA tensor of this process lies in `arena`, as
// UseArenaForCpuTensors says of the others; those keep their memory. Once in a
// process, and before LibTorch has used CUDA.
DeviceArena* UseArenaForCudaTensors(const CudaModule& module,
                                    std::unique_ptr<DeviceArena> arena);

// LibTorch's first operation on the GPU. What its libraries need for good they
// take from the arena now, when it is empty, and so leave no hole later.
//
// INTERNAL: it did not work; the message has what LibTorch said.
absl::Status WarmUpCuda();

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_CUDA_TORCH_H_
