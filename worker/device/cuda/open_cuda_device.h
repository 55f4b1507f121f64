#ifndef HYDRA_WORKER_DEVICE_CUDA_OPEN_CUDA_DEVICE_H_
#define HYDRA_WORKER_DEVICE_CUDA_OPEN_CUDA_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/device/cuda/cuda_calls.h"
#include "worker/device/cuda/module/cuda_module.h"
#include "worker/device/device.h"

namespace hydra {

// What a process must see: exactly one GPU.
//
// FAILED_PRECONDITION: another number, or CUDA has no driver or no device; the
//   message says what to do.
absl::Status CheckOneGpu(const std::string& name, CudaCalls& calls);

// CUDA, loaded for good.
struct Cuda {
  const CudaModule* module = nullptr;
  CudaCalls* calls = nullptr;
};

// Loads CUDA for the GPU that CUDA_VISIBLE_DEVICES shows to this process, and
// tells LibTorch how to compute there. `name` is what its users call it. Once
// in a process, before LibTorch's first operation and before other threads are
// begun.
//
// FAILED_PRECONDITION: this build or this machine has no CUDA, or the process
//   sees another number of GPUs than one.
absl::StatusOr<Cuda> LoadCuda(const std::string& name);

struct OpenGpu {
  std::unique_ptr<Device> device;
  // Where it is on the machine's bus; empty if CUDA does not say.
  std::string pci_bus_id;
};

// That GPU, ready to compute.
//
// `host_memory` is what most copies use; it is pinned, and must outlive the
// device.
//
// Errors: as LoadCuda, CudaDevice::Create and WarmUpCuda.
absl::StatusOr<OpenGpu> OpenCudaDevice(const std::string& name,
                                       int64_t limit_bytes,
                                       absl::Span<std::byte> host_memory);

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_OPEN_CUDA_DEVICE_H_
