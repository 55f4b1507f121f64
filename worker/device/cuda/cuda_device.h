#ifndef HYDRA_WORKER_DEVICE_CUDA_CUDA_DEVICE_H_
#define HYDRA_WORKER_DEVICE_CUDA_CUDA_DEVICE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "worker/device/cuda/cuda_calls.h"
#include "worker/device/cuda/cuda_lane.h"
#include "worker/device/cuda/cuda_stalls.h"
#include "worker/device/cuda/host_pins.h"
#include "worker/device/device.h"
#include "worker/device/host_buffers.h"

namespace hydra {

// A GPU. LibTorch computes in CUDA's default stream, and each lane of copies
// has a stream of its own; what must come before what is said to CUDA by
// events, so that the host waits for nothing but what it asks for.
//
// A copy waits for all operations issued before it, since nothing tells which
// of them used the tensor, or its memory before. So a copy overlaps with the
// operations that are issued after it.
//
// Once CUDA has refused a call, the device counts as failed for ever.
class CudaDevice : public Device {
 public:
  struct Options {
    // "cuda:1", as users know it. To the process it is the only one.
    std::string name;
    c10::Device torch_device = c10::Device(c10::DeviceType::CUDA, 0);
    // A multiple of alignment_bytes. All of it is taken at once.
    int64_t limit_bytes = 0;
    // Of tensors: what CUDA's libraries want at most.
    int64_t alignment_bytes = 512;
    // What is to be pinned, see HostPins. Must outlive the device.
    absl::Span<std::byte> host_memory;
    // What is copied at once: long enough to make use of a fast link, and not
    // long to pin.
    int64_t slab_bytes = int64_t{64} << 20;
    // Of each lane, how many copies may be not done; the next one waits.
    int most_copies = 1024;
  };

  // Makes LibTorch's tensors of the device lie in the arena, which is to live
  // as long as they do, and returns it.
  using UseArena =
      std::function<DeviceArena*(std::unique_ptr<DeviceArena> arena)>;

  // `calls` must outlive the device, and its arena.
  //
  // INVALID_ARGUMENT: the limit is not a multiple of alignment_bytes.
  // RESOURCE_EXHAUSTED: the GPU has not so much memory free; the message has
  //   what it has.
  // Others: what CUDA said.
  static absl::StatusOr<std::unique_ptr<CudaDevice>> Create(
      CudaCalls* calls, const Options& options, const UseArena& use_arena);
  ~CudaDevice() override;

  const std::string& name() const override { return name_; }
  c10::Device torch_device() const override { return torch_device_; }
  DeviceArena& arena() override { return *arena_; }
  // Pinned.
  HostBuffers& host_buffers() override { return host_buffers_; }

  Mark CopyToDevice(absl::Span<const std::byte> from,
                    const at::Tensor& to) override;
  Mark CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) override;
  void WaitFor(const Mark& mark) override;
  void Await(const Mark& mark) override;
  bool IsDone(const Mark& mark) const override;
  void Synchronize() override;

  bool CopiesBeside() const override { return true; }
  bool HostMemoryIsDeviceMemory() const override { return false; }
  int64_t OutsideBytes() const override;

  // Waits for the operations, and says how much time has passed without stalls:
  // what is idle in between counts.
  absl::Duration ComputeTime() const override;
  absl::Duration StallTime() const override { return stalls_->Total(); }

  int64_t pinned_bytes() const { return pins_.pinned_bytes(); }

 private:
  // Issues one part of a copy: `offset` bytes from its begin.
  using CopyPart = std::function<absl::Status(
      CudaStream stream, absl::Span<const std::byte> host, size_t offset)>;
  using Lanes = std::array<std::unique_ptr<CudaLane>, 2>;

  CudaDevice(CudaCalls* calls, const Options& options, DeviceArena* arena,
             Lanes lanes, CudaEvent computed);

  void CheckTensor(const at::Tensor& tensor, size_t bytes) const;
  Mark Issue(CopyLane lane, const at::Tensor& tensor,
             absl::Span<const std::byte> host, const CopyPart& copy)
      ABSL_LOCKS_EXCLUDED(mu_);
  // What Issue says to CUDA; `after`, unless null, comes before.
  absl::Status Enqueue(CudaStream stream, CudaEvent after,
                       absl::Span<const std::byte> host, const CopyPart& copy,
                       CudaEvent done);
  // Asks CUDA which copies are done, and so gives their tensors back. Whether
  // any was.
  bool Learn() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AwaitRoom(CopyLane lane) ABSL_LOCKS_EXCLUDED(mu_);
  bool AwaitOldest() ABSL_LOCKS_EXCLUDED(mu_);
  // Null: it is done.
  CudaEvent EventOf(const Mark& mark) const ABSL_LOCKS_EXCLUDED(mu_);

  // Throws if CUDA has refused this call, or one before.
  void Check(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mu_);

  CudaLane& lane(CopyLane lane) const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return *lanes_[static_cast<int>(lane)];
  }

  CudaCalls* const calls_;
  const std::string name_;
  const c10::Device torch_device_;
  DeviceArena* const arena_;
  const absl::Time begin_;
  // Recorded anew for each copy: a stream that was told to wait waits for what
  // the event was then.
  const CudaEvent computed_;
  const std::unique_ptr<CudaStalls> stalls_;
  HostPins pins_;
  HostBuffers host_buffers_;

  // Whatever is asked of a device teaches it what is done.
  mutable absl::Mutex mu_;
  const Lanes lanes_ ABSL_GUARDED_BY(mu_);
  mutable absl::Status failure_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_CUDA_DEVICE_H_
