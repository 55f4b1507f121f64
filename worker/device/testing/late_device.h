#ifndef HYDRA_WORKER_DEVICE_TESTING_LATE_DEVICE_H_
#define HYDRA_WORKER_DEVICE_TESTING_LATE_DEVICE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/types/span.h"
#include "worker/device/device.h"

namespace hydra {

// A device that copies as late as it may: when somebody waits for the copy or
// for a later one of its lane, when a copy that must come after it is done,
// when the arena has no room, when it is synchronized, or at the end. Until
// then what the copy will write, on the device or on the host, is poisoned, and
// is whatever its user left there. So whoever uses a tensor before its copy was
// waited for, or frees, changes or reads host memory too early, gets other bits
// here, as with a processor that copies at once one never would.
//
// If the source of a copy is another one when it is done than at its call, that
// is a failure of the running test.
class LateDevice : public Device {
 public:
  // Computes as `base`, whose operations and copies must be done when they
  // return.
  explicit LateDevice(std::unique_ptr<Device> base);
  ~LateDevice() override;

  const std::string& name() const override { return base_->name(); }
  c10::Device torch_device() const override { return base_->torch_device(); }
  DeviceArena& arena() override { return base_->arena(); }
  HostBuffers& host_buffers() override { return base_->host_buffers(); }

  Mark CopyToDevice(absl::Span<const std::byte> from,
                    const at::Tensor& to) override;
  Mark CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) override;
  void WaitFor(const Mark& mark) override;
  void Await(const Mark& mark) override;
  bool IsDone(const Mark& mark) const override;
  void Synchronize() override;

  bool CopiesBeside() const override { return true; }
  // Not even where it is its base's: it would not be late.
  bool HostMemoryIsDeviceMemory() const override { return false; }
  int64_t OutsideBytes() const override { return base_->OutsideBytes(); }
  absl::Duration ComputeTime() const override { return base_->ComputeTime(); }

  // How many copies are not done yet.
  int outstanding() const;

  // The next Await or Synchronize with copies to do throws c10::Error instead.
  void FailNextCopies() { fails_next_copies_ = true; }

 private:
  struct Copy {
    at::Tensor tensor;
    absl::Span<const std::byte> from;
    absl::Span<std::byte> to;
    // The source, as it was at the call.
    std::vector<std::byte> bytes;
    // Of the other lane: what must be done before.
    uint64_t after = 0;

    absl::Span<const std::byte> host() const {
      return from.empty() ? to : from;
    }
  };
  struct Lane {
    std::deque<Copy> copies;
    uint64_t done = 0;

    uint64_t enqueued() const { return done + copies.size(); }
  };

  Mark Enqueue(CopyLane lane, Copy copy);
  // Does the lane's copies up to the number.
  void Finish(CopyLane lane, uint64_t number);
  void FinishAll();
  void FailIfAsked();
  bool FinishOldest();
  void Do(CopyLane lane, const Copy& copy);

  Lane& lane(CopyLane lane) { return lanes_[static_cast<int>(lane)]; }

  const std::unique_ptr<Device> base_;
  // Recursive: what is dropped with a copy may be waited for by the arena.
  mutable std::recursive_mutex mu_;
  std::array<Lane, 2> lanes_;
  bool fails_next_copies_ = false;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_TESTING_LATE_DEVICE_H_
