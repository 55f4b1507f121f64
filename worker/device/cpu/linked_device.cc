#include "worker/device/cpu/linked_device.h"

#include <utility>

#include "worker/device/check_copy.h"

namespace hydra {

LinkedDevice::LinkedDevice(std::unique_ptr<Device> base, const LinkModel& link)
    : base_(std::move(base)), lanes_(link) {
  arena().SetAwaitFree([this] { return lanes_.AwaitOldest(); });
}

LinkedDevice::~LinkedDevice() { arena().SetAwaitFree({}); }

Mark LinkedDevice::CopyToDevice(absl::Span<const std::byte> from,
                                const at::Tensor& to) {
  CheckCopy(to, from.size());
  return lanes_.Enqueue(
      CopyLane::kPromote,
      {[this, from, to] { base_->CopyToDevice(from, to); }, from});
}

Mark LinkedDevice::CopyToHost(const at::Tensor& from,
                              absl::Span<std::byte> to) {
  CheckCopy(from, to.size());
  return lanes_.Enqueue(
      CopyLane::kDemote,
      {[this, from, to] { base_->CopyToHost(from, to); }, to});
}

}  // namespace hydra
