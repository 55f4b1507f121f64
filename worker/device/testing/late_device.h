#ifndef HYDRA_WORKER_DEVICE_TESTING_LATE_DEVICE_H_
#define HYDRA_WORKER_DEVICE_TESTING_LATE_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "worker/device/device.h"

namespace hydra {

// A device that copies as late as it may: host memory is read and written when
// Synchronize, or the destructor, is called, and is whatever the caller left
// there. So whoever frees, changes or reads host memory too early fails a test
// here, as a processor that copies at once never would.
//
// Computing needs the bytes at once, so a copy to the device happens at its
// call, too; if the source is another one at the end, that is a failure of the
// running test. Until a copy to the host is done, its target is poisoned.
class LateDevice : public Device {
 public:
  // Computes as `base`, whose operations must be done when they return.
  explicit LateDevice(std::unique_ptr<Device> base);
  ~LateDevice() override;

  const std::string& name() const override { return base_->name(); }
  c10::Device torch_device() const override { return base_->torch_device(); }
  DeviceArena& arena() override { return base_->arena(); }

  void CopyToDevice(absl::Span<const std::byte> from,
                    const at::Tensor& to) override;
  void CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) override;
  void Synchronize() override;

  // Not even where it is its base's: it would not be late.
  bool HostMemoryIsDeviceMemory() const override { return false; }
  int64_t OutsideBytes() const override { return base_->OutsideBytes(); }
  absl::Duration ComputeTime() const override { return base_->ComputeTime(); }

  // How many copies are not done yet.
  int outstanding() const { return static_cast<int>(copies_.size()); }

  // The next Synchronize with copies to do throws c10::Error instead.
  void FailNextCopies() { fails_next_copies_ = true; }

 private:
  struct Copy {
    // One of both is empty.
    absl::Span<const std::byte> from;
    absl::Span<std::byte> to;
    // What was read from, or shall be written to, the host.
    std::vector<std::byte> bytes;
  };

  void Finish();
  // Copies that use the same host memory keep their order.
  void FinishIf(absl::FunctionRef<bool(const Copy&)> concerns);

  const std::unique_ptr<Device> base_;
  std::vector<Copy> copies_;
  bool fails_next_copies_ = false;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_TESTING_LATE_DEVICE_H_
