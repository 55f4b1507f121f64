// A module of a given format, and nothing else.

#include "worker/device/cuda/module/cuda_module.h"

extern "C" const hydra::CudaModule* hydra_cuda_module() {
  static const hydra::CudaModule module = {HYDRA_FAKE_FORMAT, {}, nullptr};
  return &module;
}
