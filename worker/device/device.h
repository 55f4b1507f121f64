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
// any. LibTorch's exceptions pass through.
class Device {
 public:
  virtual ~Device() = default;

  // "cpu:0".
  virtual const std::string& name() const = 0;

  // Where LibTorch must make tensors so that they lie in the arena.
  virtual c10::Device torch_device() const = 0;

  // All of the device's memory; its limit is the device's.
  virtual DeviceArena& arena() = 0;

  // Copy between host memory and a contiguous tensor of this device with as
  // many bytes. They may return before the copy is done: the host range must
  // stay as it is until Synchronize. Later operations see the copy's result.
  virtual void CopyToDevice(absl::Span<const std::byte> from,
                            const at::Tensor& to) = 0;
  virtual void CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) = 0;

  // Waits until all copies and operations are done.
  virtual void Synchronize() = 0;

  // What the process takes beside the device's memory and shared mappings:
  // libraries' scratch memory, code's data, stacks.
  virtual int64_t OutsideBytes() const = 0;

  // Time that the device has computed for the calling thread, from an arbitrary
  // start.
  virtual absl::Duration ComputeTime() const = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_DEVICE_H_
