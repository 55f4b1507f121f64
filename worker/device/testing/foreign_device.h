#ifndef HYDRA_WORKER_DEVICE_TESTING_FOREIGN_DEVICE_H_
#define HYDRA_WORKER_DEVICE_TESTING_FOREIGN_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "worker/device/device.h"
#include "worker/device/host_buffers.h"

namespace hydra {

// A device as a GPU looks to Hydra's code, without one: its tensors are no CPU
// tensors (foreign_tensors.h), and the host cannot touch its memory
// (foreign_memory.h). Its operations and copies are done when they return.
class ForeignDevice : public Device {
 public:
  // `limit_bytes` is a positive multiple of 64. With several, new tensors lie
  // in the newest one's arena.
  explicit ForeignDevice(int64_t limit_bytes);

  const std::string& name() const override { return name_; }
  c10::Device torch_device() const override;
  DeviceArena& arena() override { return *arena_; }
  HostBuffers& host_buffers() override { return host_buffers_; }

  Mark CopyToDevice(absl::Span<const std::byte> from,
                    const at::Tensor& to) override;
  Mark CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) override;
  void WaitFor(const Mark&) override {}
  void Await(const Mark&) override {}
  bool IsDone(const Mark&) const override { return true; }
  void Synchronize() override {}

  bool CopiesBeside() const override { return false; }
  bool HostMemoryIsDeviceMemory() const override { return false; }
  int64_t OutsideBytes() const override;
  // What is idle in between counts.
  absl::Duration ComputeTime() const override;

 private:
  const std::string name_ = "foreign:0";
  DeviceArena* const arena_;
  HostBuffers host_buffers_;
  const absl::Time begin_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_TESTING_FOREIGN_DEVICE_H_
