#ifndef HYDRA_WORKER_DEVICE_CUDA_LOAD_CUDA_MODULE_H_
#define HYDRA_WORKER_DEVICE_CUDA_LOAD_CUDA_MODULE_H_

#include <string>

#include "absl/status/statusor.h"
#include "worker/device/cuda/module/cuda_module.h"

namespace hydra {

// Where libhydra_cuda.so belongs: beside this program.
std::string CudaModulePath();

// Loads it, for good. Call before LibTorch's first operation: what LibTorch
// knows of CUDA, it looks up once.
//
// FAILED_PRECONDITION: it is not there, a library that it needs is not, or it
//   is of another build; the message says which, and what to do.
absl::StatusOr<const CudaModule*> LoadCudaModule(const std::string& path);

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_LOAD_CUDA_MODULE_H_
