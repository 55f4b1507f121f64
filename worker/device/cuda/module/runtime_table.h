#ifndef HYDRA_WORKER_DEVICE_CUDA_MODULE_RUNTIME_TABLE_H_
#define HYDRA_WORKER_DEVICE_CUDA_MODULE_RUNTIME_TABLE_H_

#include "worker/device/cuda/module/cuda_module.h"

namespace hydra {

// The functions of the CUDA runtime that this is linked with.
CudaRuntimeTable RuntimeTable();

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_MODULE_RUNTIME_TABLE_H_
