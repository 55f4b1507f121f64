#include "worker/device/testing/foreign_device.h"

#include <cstddef>
#include <cstring>

#include "c10/util/Exception.h"
#include "common/clock/steady_time.h"
#include "worker/device/check_copy.h"
#include "worker/device/process_memory.h"
#include "worker/device/testing/foreign_memory.h"
#include "worker/device/testing/foreign_tensors.h"

namespace hydra {
namespace {

void CheckForeign(const at::Tensor& tensor, size_t bytes) {
  CheckCopy(tensor, bytes);
  TORCH_CHECK(tensor.device() == ForeignTorchDevice(), "a tensor on ",
              tensor.device(), " is none of ", ForeignTorchDevice());
}

}  // namespace

ForeignDevice::ForeignDevice(int64_t limit_bytes)
    : arena_(UseArenaForForeignTensors(
          DeviceArena::Create(limit_bytes, ForeignMemory()).value())),
      host_buffers_(HostBuffers::MostBytes(limit_bytes)),
      begin_(SteadyNow()) {}

c10::Device ForeignDevice::torch_device() const { return ForeignTorchDevice(); }

Mark ForeignDevice::CopyToDevice(absl::Span<const std::byte> from,
                                 const at::Tensor& to) {
  CheckForeign(to, from.size());
  if (from.empty()) return {};
  auto* const begin = static_cast<std::byte*>(to.mutable_data_ptr());
  const OpenForeignMemory open({{begin, from.size()}});
  std::memcpy(begin, from.data(), from.size());
  return {};
}

Mark ForeignDevice::CopyToHost(const at::Tensor& from,
                               absl::Span<std::byte> to) {
  CheckForeign(from, to.size());
  if (to.empty()) return {};
  const auto* const begin =
      static_cast<const std::byte*>(from.const_data_ptr());
  const OpenForeignMemory open({{begin, to.size()}});
  std::memcpy(to.data(), begin, to.size());
  return {};
}

int64_t ForeignDevice::OutsideBytes() const { return PrivateMemoryBytes(); }

absl::Duration ForeignDevice::ComputeTime() const {
  return SteadyNow() - begin_;
}

}  // namespace hydra
