#ifndef HYDRA_WORKER_DEVICE_CPU_LINKED_DEVICE_H_
#define HYDRA_WORKER_DEVICE_CPU_LINKED_DEVICE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "worker/device/cpu/copy_lanes.h"
#include "worker/device/cpu/link_model.h"
#include "worker/device/device.h"

namespace hydra {

// A processor as a device behind a link: it computes as the device that it is
// made of, and copies beside that, no faster than the link. It shows on a
// machine without a GPU what a GPU's link would do.
class LinkedDevice : public Device {
 public:
  // The operations and copies of `base` must be done when they return, and its
  // copies may come from any thread, as a CpuDevice's.
  LinkedDevice(std::unique_ptr<Device> base, const LinkModel& link);
  ~LinkedDevice() override;

  const std::string& name() const override { return base_->name(); }
  c10::Device torch_device() const override { return base_->torch_device(); }
  DeviceArena& arena() override { return base_->arena(); }
  HostBuffers& host_buffers() override { return base_->host_buffers(); }

  Mark CopyToDevice(absl::Span<const std::byte> from,
                    const at::Tensor& to) override;
  Mark CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) override;
  void WaitFor(const Mark& mark) override { lanes_.Await(mark); }
  void Await(const Mark& mark) override { lanes_.Await(mark); }
  bool IsDone(const Mark& mark) const override { return lanes_.IsDone(mark); }
  void Synchronize() override { lanes_.AwaitAll(); }

  bool CopiesBeside() const override { return true; }
  // What its base could do, a device behind a link cannot.
  bool HostMemoryIsDeviceMemory() const override { return false; }
  int64_t OutsideBytes() const override { return base_->OutsideBytes(); }
  absl::Duration ComputeTime() const override { return base_->ComputeTime(); }
  std::optional<absl::Duration> CopyTime(CopyLane lane) const override {
    return lanes_.CopyTime(lane);
  }

 private:
  const std::unique_ptr<Device> base_;
  CopyLanes lanes_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CPU_LINKED_DEVICE_H_
