#include "worker/device/cuda/open_cuda_device.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/device/cuda/cuda_device.h"
#include "worker/device/cuda/cuda_runtime.h"
#include "worker/device/cuda/cuda_torch.h"
#include "worker/device/cuda/load_cuda_module.h"

namespace hydra {

absl::Status CheckOneGpu(const std::string& name, CudaCalls& calls) {
  const absl::StatusOr<int> count = calls.DeviceCount();
  if (!count.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("CUDA has no device ", name, ": ",
                     count.status().message(), "; does nvidia-smi show it?"));
  }
  if (*count == 1) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "this process sees ", *count, " GPUs, and drives one, ", name,
      "; hydrad starts it with that one's number in CUDA_VISIBLE_DEVICES"));
}

absl::StatusOr<Cuda> LoadCuda(const std::string& name) {
  SetCudaEnvironment();
  const absl::StatusOr<const CudaModule*> module =
      LoadCudaModule(CudaModulePath());
  if (!module.ok()) return module.status();
  // As long as the arena, and so as the process.
  static auto* const calls = new CudaRuntime((*module)->runtime);
  if (absl::Status checked = CheckOneGpu(name, *calls); !checked.ok()) {
    return checked;
  }
  UseExactCudaOperations();
  return Cuda{*module, calls};
}

absl::StatusOr<OpenGpu> OpenCudaDevice(const std::string& name,
                                       int64_t limit_bytes,
                                       absl::Span<std::byte> host_memory) {
  const absl::StatusOr<Cuda> cuda = LoadCuda(name);
  if (!cuda.ok()) return cuda.status();
  CudaDevice::Options options;
  options.name = name;
  options.limit_bytes = limit_bytes;
  options.host_memory = host_memory;
  auto device = CudaDevice::Create(
      cuda->calls, options, [&cuda](std::unique_ptr<DeviceArena> arena) {
        return UseArenaForCudaTensors(*cuda->module, std::move(arena));
      });
  if (!device.ok()) return device.status();
  if (absl::Status warm = WarmUpCuda(); !warm.ok()) return warm;
  return OpenGpu{*std::move(device), cuda->calls->PciBusId().value_or("")};
}

}  // namespace hydra
