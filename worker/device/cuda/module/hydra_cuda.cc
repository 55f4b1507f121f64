// libhydra_cuda.so, see cuda_module.h.

#include "torch/csrc/cuda/CUDAPluggableAllocator.h"
#include "worker/device/cuda/module/cuda_module.h"
#include "worker/device/cuda/module/runtime_table.h"

namespace hydra {
namespace {

void UseAllocator(void* (*allocate)(size_t bytes), void (*free)(void*)) {
  namespace pluggable = torch::cuda::CUDAPluggableAllocator;
  pluggable::changeCurrentAllocator(pluggable::createCustomAllocator(
      [allocate](size_t bytes, int, cudaStream_t) { return allocate(bytes); },
      [free](void* memory, size_t, int, cudaStream_t) { free(memory); }));
}

}  // namespace
}  // namespace hydra

extern "C" const hydra::CudaModule* hydra_cuda_module() {
  static const hydra::CudaModule module = {
      hydra::kCudaModuleFormat, hydra::RuntimeTable(), hydra::UseAllocator};
  return &module;
}
