#ifndef HYDRA_WORKER_DEVICE_DEVICE_H_
#define HYDRA_WORKER_DEVICE_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "ATen/core/Tensor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "c10/core/Device.h"
#include "worker/device/device_arena.h"
#include "worker/device/host_buffers.h"

namespace hydra {

// The lanes in which a device copies, beside the one in which it computes.
enum class CopyLane { kPromote, kDemote };

// "All copies that the lane was given so far": what to wait for. By default
// nothing.
struct Mark {
  CopyLane lane = CopyLane::kPromote;
  uint64_t number = 0;
};

// What computes, and the memory that it computes in. A worker has one.
//
// One thread issues operations and copies; `Await`, `IsDone` and the arena are
// for any. LibTorch's exceptions pass through. testing/device_contract.h tries
// every promise made here.
//
// Three lanes work side by side: LibTorch's operations in one, copies to the
// device in another, copies to the host in a third. Each keeps the order of the
// calls. Between them only this is so:
//  * A copy to the host gets what the operations issued before it made.
//  * Operations issued before a copy to the device do not find it.
//  * Operations issued after WaitFor(mark) find what the copies up to the mark
//    brought to the device, and may write over what they took to the host.
//    Before, they must do neither.
//  * A copy that uses host memory which an earlier copy, of either lane, reads
//    or writes comes after that one.
//
// Host memory is the device's from the call that copies until its mark is done:
// what a copy reads must stay as it is, and what one writes nobody may read, or
// give to others; but further copies may use it, since they keep their order. A
// failed task's copies are no exception.
//
// A tensor may be dropped at once: its memory is not used for others before the
// copy is done with it. When the arena has no room it waits for such copies.
class Device {
 public:
  // Waits for all copies. Tensors may live on: the arena lives as long as the
  // process.
  virtual ~Device() = default;

  // "cpu:0".
  virtual const std::string& name() const = 0;

  // Where LibTorch must make tensors so that they lie in the arena.
  virtual c10::Device torch_device() const = 0;

  // All of the device's memory; its limit is the device's. Copies take none of
  // it.
  virtual DeviceArena& arena() = 0;

  // Host memory that copies are fastest from and to, beside the pool. Buffers
  // end before the device. Any thread.
  virtual HostBuffers& host_buffers() = 0;

  // Copy between host memory, of any alignment, and a contiguous tensor of this
  // device with as many bytes. Do not wait for the copy. They throw c10::Error,
  // and copy nothing, if the tensor is not such a one, and where the device has
  // failed.
  virtual Mark CopyToDevice(absl::Span<const std::byte> from,
                            const at::Tensor& to) = 0;
  virtual Mark CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) = 0;

  // Lets operations issued from now on begin after the mark. Where operations
  // are done when they return, this waits. Throws c10::Error if the device has
  // failed.
  virtual void WaitFor(const Mark& mark) = 0;

  // Waits until all up to the mark is done. Throws c10::Error as Synchronize.
  virtual void Await(const Mark& mark) = 0;

  // Whether all up to the mark is done, so that host memory is the caller's
  // again. False for ever if the device failed before.
  virtual bool IsDone(const Mark& mark) const = 0;

  // Waits until all copies and operations are done; host memory is the caller's
  // again. Throws c10::Error if the device has failed: then no copy will touch
  // host memory any more, but what was copied since the last Synchronize, in
  // either direction, may be anything.
  virtual void Synchronize() = 0;

  // Whether copies are done beside operations. Where they are not, nothing is
  // gained by asking for one early.
  virtual bool CopiesBeside() const = 0;

  // Whether host memory and the device's are the same, and operations are done
  // when they return: then the calling thread may compute in both, with its own
  // code too.
  virtual bool HostMemoryIsDeviceMemory() const = 0;

  // What the process takes beside the device's memory and shared mappings:
  // libraries' scratch memory, code's data, stacks.
  virtual int64_t OutsideBytes() const = 0;

  // Time that the device has computed for the calling thread, from an arbitrary
  // start.
  virtual absl::Duration ComputeTime() const = 0;

  // Time that operations stood still for copies that they were told to wait
  // for, while the calling thread went on, from an arbitrary start. As far as
  // is known: all of it after ComputeTime. None where it is the thread that
  // waits.
  virtual absl::Duration StallTime() const { return absl::ZeroDuration(); }

  // Time that the lane has copied since the device was made, what is under way
  // included. Absent where the device does not know it. Any thread.
  virtual std::optional<absl::Duration> CopyTime(CopyLane) const {
    return std::nullopt;
  }
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_DEVICE_H_
