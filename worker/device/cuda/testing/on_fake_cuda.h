#ifndef HYDRA_WORKER_DEVICE_CUDA_TESTING_ON_FAKE_CUDA_H_
#define HYDRA_WORKER_DEVICE_CUDA_TESTING_ON_FAKE_CUDA_H_

#include <cstdint>
#include <memory>
#include <string>

#include "worker/device/cuda/cuda_device.h"
#include "worker/device/cuda/testing/fake_cuda.h"
#include "worker/device/device.h"

namespace hydra {

// A CudaDevice on a fake of CUDA, in whose device memory the processor's
// tensors lie: what computes on it is the processor.
//
// Its operations are done when they return, so they cannot wait in the compute
// stream as a GPU's do. Here the host waits for that stream instead, and for
// nothing else.
class OnFakeCuda : public Device {
 public:
  // "cuda:0" with so much memory.
  static CudaDevice::Options OptionsOf(int64_t limit_bytes);

  OnFakeCuda(const FakeCuda::Options& cuda, const CudaDevice::Options& device);

  const std::string& name() const override { return device_->name(); }
  c10::Device torch_device() const override { return device_->torch_device(); }
  DeviceArena& arena() override { return device_->arena(); }
  HostBuffers& host_buffers() override { return device_->host_buffers(); }

  Mark CopyToDevice(absl::Span<const std::byte> from,
                    const at::Tensor& to) override {
    return device_->CopyToDevice(from, to);
  }
  Mark CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) override {
    return device_->CopyToHost(from, to);
  }
  void WaitFor(const Mark& mark) override;
  void Await(const Mark& mark) override { device_->Await(mark); }
  bool IsDone(const Mark& mark) const override { return device_->IsDone(mark); }
  void Synchronize() override { device_->Synchronize(); }

  bool CopiesBeside() const override { return device_->CopiesBeside(); }
  bool HostMemoryIsDeviceMemory() const override {
    return device_->HostMemoryIsDeviceMemory();
  }
  int64_t OutsideBytes() const override { return device_->OutsideBytes(); }
  absl::Duration ComputeTime() const override { return device_->ComputeTime(); }
  absl::Duration StallTime() const override { return device_->StallTime(); }

  const FakeCuda& cuda() const { return cuda_; }

 private:
  FakeCuda cuda_;
  const std::unique_ptr<CudaDevice> device_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_TESTING_ON_FAKE_CUDA_H_
