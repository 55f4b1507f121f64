#include "worker/device/cuda/testing/on_fake_cuda.h"

#include "c10/util/Exception.h"
#include "worker/device/arena_c10_allocator.h"

namespace hydra {

CudaDevice::Options OnFakeCuda::OptionsOf(int64_t limit_bytes) {
  CudaDevice::Options options;
  options.name = "cuda:0";
  options.torch_device = c10::Device(c10::DeviceType::CPU);
  options.limit_bytes = limit_bytes;
  return options;
}

OnFakeCuda::OnFakeCuda(const FakeCuda::Options& cuda,
                       const CudaDevice::Options& device)
    : cuda_(cuda),
      device_(
          CudaDevice::Create(&cuda_, device, UseArenaForCpuTensors).value()) {}

void OnFakeCuda::WaitFor(const Mark& mark) {
  device_->WaitFor(mark);
  TORCH_CHECK(cuda_.SynchronizeStream(kComputeStream).ok(),
              "the fake has failed");
  // As if the operations behind had shown it.
  device_->IsDone(mark);
}

}  // namespace hydra
