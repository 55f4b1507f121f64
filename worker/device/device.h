#ifndef HYDRA_WORKER_DEVICE_DEVICE_H_
#define HYDRA_WORKER_DEVICE_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "ATen/core/Tensor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "c10/core/Device.h"
#include "worker/device/device_arena.h"

namespace hydra {

// What computes, and the memory that it computes in. A worker has one.
//
// One thread copies, synchronizes and reads times; the arena may be used by
// any. LibTorch's exceptions pass through. testing/device_contract.h tries
// every promise made here.
//
// Copies are asynchronous: they are done in the order of the calls, each at
// some time between its call and the end of the next Synchronize. Until then a
// host range is the device's: a copy to the device may read it at any time, so
// it must stay as it is; one to the host may write it at any time, so nobody
// may read it, or give it to others. Only copies may use it again, since they
// keep their order. A failed task's copies are no exception.
//
// Operations see none of that: what is issued after a copy to the device finds
// its bytes in the tensor, and what is issued after a copy to the host does not
// change what the host gets. A tensor may be dropped at once; its memory is not
// used for others before the copy is done with it.
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

  // Copy between host memory, of any alignment, and a contiguous tensor of this
  // device with as many bytes. They throw c10::Error, and copy nothing, if the
  // tensor is not such a one, and where the device has failed.
  virtual void CopyToDevice(absl::Span<const std::byte> from,
                            const at::Tensor& to) = 0;
  virtual void CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) = 0;

  // Waits until all copies and operations are done; host memory is the caller's
  // again. Throws c10::Error if the device has failed: then no copy will touch
  // host memory any more, but what was copied since the last Synchronize, in
  // either direction, may be anything.
  virtual void Synchronize() = 0;

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
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_DEVICE_H_
