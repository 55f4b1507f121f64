#ifndef HYDRA_WORKER_DEVICE_CPU_CPU_DEVICE_H_
#define HYDRA_WORKER_DEVICE_CPU_CPU_DEVICE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "worker/device/device.h"
#include "worker/device/host_buffers.h"
#include "worker/device/process_memory.h"

namespace hydra {

// The processor as a device whose memory limit is really enforced: from its
// creation on, every CPU tensor of the process lies in its arena.
class CpuDevice : public Device {
 public:
  // `index` is only its name. With several, the newest one's arena gets new
  // tensors, even once the device is gone. Not thread-safe.
  //
  // Errors: as DeviceArena::Create.
  static absl::StatusOr<std::unique_ptr<CpuDevice>> Create(int index,
                                                           int64_t limit_bytes);

  const std::string& name() const override { return name_; }
  c10::Device torch_device() const override;
  DeviceArena& arena() override { return *arena_; }
  HostBuffers& host_buffers() override { return host_buffers_; }

  // Both copy at once, so nothing has to be waited for.
  Mark CopyToDevice(absl::Span<const std::byte> from,
                    const at::Tensor& to) override;
  Mark CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) override;
  void WaitFor(const Mark&) override {}
  void Await(const Mark&) override {}
  bool IsDone(const Mark&) const override { return true; }
  void Synchronize() override {}

  bool CopiesBeside() const override { return false; }
  bool HostMemoryIsDeviceMemory() const override { return true; }
  int64_t OutsideBytes() const override { return PrivateMemoryBytes(); }

  // The calling thread's processor time; that of helper threads is not in it.
  absl::Duration ComputeTime() const override;
  std::optional<absl::Duration> CopyTime(CopyLane lane) const override;

 private:
  CpuDevice(int index, DeviceArena* arena);

  const std::string name_;
  DeviceArena* const arena_;
  HostBuffers host_buffers_;
  // By lane.
  std::array<std::atomic<int64_t>, 2> copy_ns_ = {};
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CPU_CPU_DEVICE_H_
