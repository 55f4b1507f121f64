#include "worker/exec/block_io.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "ATen/ops/empty.h"
#include "ATen/ops/from_blob.h"
#include "c10/util/Exception.h"
#include "common/clock/steady_time.h"
#include "common/model/model_table.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;

VersionId VersionOf(const BlockVersion& version) {
  return VersionId(version.version());
}

}  // namespace

BlockIo::BlockIo(Device* device, HostRange host, DeviceCache* cache)
    : device_(device), host_(std::move(host)), cache_(cache) {}

at::Tensor BlockIo::Promote(const BlockVersion& version, int64_t count,
                            Reuse reuse) {
  at::Tensor tensor = Cached(version, count);
  if (tensor.defined()) {
    cached_bytes_ += count * kFloatBytes;
  } else {
    tensor = Empty({count});
    PromoteRange(version, 0, tensor);
  }
  if (reuse == Reuse::kNever) {
    Forget(version);
  } else if (cache_ != nullptr) {
    cache_->Put(VersionOf(version), tensor);
  }
  return tensor;
}

void BlockIo::PromoteRange(const BlockVersion& version, int64_t first,
                           const at::Tensor& to) {
  const int64_t count = to.numel();
  if (version.zero()) {
    to.zero_();
    return;
  }
  if (at::Tensor cached = Cached(version, first + count); cached.defined()) {
    to.copy_(cached.narrow(0, first, count));
    cached_bytes_ += count * kFloatBytes;
    return;
  }
  const absl::Time begin = SteadyNow();
  device_->CopyToDevice(SlotRange(version, first, count), to);
  copy_time_ += SteadyNow() - begin;
  promoted_bytes_ += count * kFloatBytes;
}

at::Tensor BlockIo::View(const BlockVersion& version, int64_t count) {
  if (at::Tensor cached = Cached(version, count); cached.defined()) {
    return cached;
  }
  if (version.zero()) return Empty({count}).zero_();
  return at::from_blob(SlotRange(version, 0, count).data(), {count});
}

at::Tensor BlockIo::ReadInPlace(const BlockVersion& version, int64_t first,
                                int64_t count) {
  if (version.zero()) return {};
  if (const at::Tensor cached = Cached(version, first + count);
      cached.defined()) {
    cached_bytes_ += count * kFloatBytes;
    return cached.narrow(0, first, count);
  }
  promoted_bytes_ += count * kFloatBytes;
  return SlotInPlace(version, first, count);
}

at::Tensor BlockIo::WriteInPlace(const BlockVersion& version, int64_t first,
                                 int64_t count) {
  demoted_bytes_ += count * kFloatBytes;
  return SlotInPlace(version, first, count);
}

void BlockIo::Demote(const at::Tensor& from, const BlockVersion& version,
                     int64_t first) {
  const absl::Time begin = SteadyNow();
  device_->CopyToHost(from, SlotRange(version, first, from.numel()));
  copy_time_ += SteadyNow() - begin;
  demoted_bytes_ += from.numel() * kFloatBytes;
}

void BlockIo::ZeroTail(const BlockVersion& version, int64_t first) {
  const absl::Span<std::byte> tail =
      SlotRange(version, first, version.size_bytes() / kFloatBytes - first);
  std::fill(tail.begin(), tail.end(), std::byte{0});
}

void BlockIo::Keep(const BlockVersion& version, at::Tensor tensor) {
  if (cache_ == nullptr) return;
  cache_->Put(VersionOf(version), std::move(tensor));
  made_.push_back(VersionOf(version));
}

void BlockIo::Forget(const BlockVersion& version) {
  if (cache_ != nullptr) cache_->Drop(VersionOf(version));
}

void BlockIo::Rollback() {
  for (VersionId version : made_) cache_->Drop(version);
  made_.clear();
}

at::Tensor BlockIo::Empty(at::IntArrayRef shape) const {
  return at::empty(
      shape,
      at::TensorOptions().dtype(at::kFloat).device(device_->torch_device()));
}

absl::Span<std::byte> BlockIo::SlotRange(const BlockVersion& version,
                                         int64_t first, int64_t count) const {
  const int64_t begin = first * kFloatBytes;
  const int64_t bytes = count * kFloatBytes;
  TORCH_CHECK(
      !version.zero() && begin >= 0 && begin + bytes <= version.size_bytes(),
      "bytes [", begin, ", ", begin + bytes, ") of version ", version.version(),
      ", whose slot has ", version.zero() ? 0 : version.size_bytes());
  return host_(version.offset_bytes() + begin, bytes);
}

at::Tensor BlockIo::SlotInPlace(const BlockVersion& version, int64_t first,
                                int64_t count) const {
  TORCH_CHECK(device_->HostMemoryIsDeviceMemory(), device_->name(),
              " has memory of its own");
  return at::from_blob(SlotRange(version, first, count).data(), {count});
}

at::Tensor BlockIo::Cached(const BlockVersion& version, int64_t count) {
  if (cache_ == nullptr) return {};
  std::optional<at::Tensor> cached = cache_->Get(VersionOf(version));
  if (!cached || cached->numel() < count) return {};
  return cached->numel() == count ? *cached : cached->narrow(0, 0, count);
}

}  // namespace hydra
