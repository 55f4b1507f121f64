#include "worker/exec/block_io.h"

#include <algorithm>
#include <exception>
#include <memory>
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

// From here to the end of its scope, copies are waited for.
class BlockIo::Waiting {
 public:
  explicit Waiting(BlockIo* io) : io_(io), begin_(SteadyNow()) {}
  ~Waiting() {
    const absl::Duration took = SteadyNow() - begin_;
    io_->copy_time_ += took;
    io_->outbound_->waited_ns += absl::ToInt64Nanoseconds(took);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  BlockIo* const io_;
  const absl::Time begin_;
};

BlockIo::BlockIo(Device* device, HostRange host, DeviceCache* cache,
                 Outbound* outbound)
    : device_(device),
      host_(std::move(host)),
      cache_(cache),
      own_outbound_(outbound == nullptr ? std::make_unique<Outbound>(device)
                                        : nullptr),
      outbound_(outbound == nullptr ? own_outbound_.get() : outbound),
      made_after_(outbound_->updates.newest()) {}

BlockIo::~BlockIo() {
  try {
    EndStaged(Unstage::kAll);
  } catch (const std::exception&) {
    // The device has failed: nothing is read any more.
  }
}

at::Tensor BlockIo::Promote(const BlockVersion& version, int64_t count,
                            Reuse reuse) {
  at::Tensor tensor = TakeCached(version, 0, count);
  if (!tensor.defined()) {
    tensor = EmptyForCache(count);
    PromoteRange(version, 0, tensor);
  }
  if (reuse == Reuse::kNever) {
    Forget(version);
  } else if (cache_ != nullptr) {
    cache_->Put(VersionOf(version), {tensor});
  }
  return tensor;
}

void BlockIo::PromoteRange(const BlockVersion& version, int64_t first,
                           const at::Tensor& to) {
  WaitFor(BeginPromoteRange(version, first, to));
}

Mark BlockIo::BeginPromoteRange(const BlockVersion& version, int64_t first,
                                const at::Tensor& to) {
  const int64_t count = to.numel();
  if (version.zero()) {
    to.zero_();
    return {};
  }
  if (at::Tensor cached = TakeCached(version, first, count); cached.defined()) {
    to.copy_(cached);
    return {};
  }
  AwaitUpdate(version);
  promoted_.Add(version, count * kFloatBytes);
  return CopyToDevice(SlotRange(version, first, count), to);
}

void BlockIo::WaitFor(const Mark& mark) {
  const Waiting waiting(this);
  device_->WaitFor(mark);
}

void BlockIo::PromoteBytes(absl::Span<const std::byte> from,
                           const at::Tensor& to) {
  if (from.empty()) return;
  HostBuffers::Buffer buffer =
      TakeHostBuffer(static_cast<int64_t>(from.size()));
  std::copy(from.begin(), from.end(), buffer.get());
  const Mark copied = CopyToDevice({buffer.get(), from.size()}, to);
  staged_.push_back({copied, std::move(buffer)});
  WaitFor(copied);
}

BlockIo::Prefetched BlockIo::Prefetch(const BlockVersion& version) {
  if (version.zero() || cache_->Contains(VersionOf(version))) {
    return Prefetched::kBegun;
  }
  if (!updates().IsMade(VersionOf(version))) return Prefetched::kBeingMade;
  while (device_->arena().largest_free_bytes() < version.size_bytes()) {
    if (!cache_->EvictUnexpected()) return Prefetched::kNoRoom;
  }
  const int64_t count = version.size_bytes() / kFloatBytes;
  const at::Tensor tensor = EmptyForCache(count);
  const Mark ready =
      device_->CopyToDevice(SlotRange(version, 0, count), tensor);
  cache_->Put(VersionOf(version), {tensor, ready, /*prefetched=*/true});
  return Prefetched::kBegun;
}

at::Tensor BlockIo::View(const BlockVersion& version, int64_t count) {
  if (cache_ != nullptr) {
    const auto cached = cache_->Peek(VersionOf(version));
    if (cached && cached->tensor.numel() >= count &&
        device_->IsDone(cached->ready)) {
      WaitFor(cached->ready);
      return cached->tensor.narrow(0, 0, count);
    }
  }
  if (version.zero()) return Empty({count}).zero_();
  AwaitUpdate(version);
  outbound_->departures.Await(VersionOf(version));
  return at::from_blob(SlotRange(version, 0, count).data(), {count});
}

at::Tensor BlockIo::ReadInPlace(const BlockVersion& version, int64_t first,
                                int64_t count) {
  if (version.zero()) return {};
  if (at::Tensor cached = TakeCached(version, first, count); cached.defined()) {
    return cached;
  }
  promoted_.Add(version, count * kFloatBytes);
  return SlotInPlace(version, first, count);
}

at::Tensor BlockIo::WriteInPlace(const BlockVersion& version, int64_t first,
                                 int64_t count) {
  demoted_.Add(version, count * kFloatBytes);
  return SlotInPlace(version, first, count);
}

Mark BlockIo::Demote(const at::Tensor& from, const BlockVersion& version,
                     int64_t first) {
  return DemoteFor(version, from, SlotRange(version, first, from.numel()));
}

Mark BlockIo::DemoteFor(const BlockVersion& version, const at::Tensor& from,
                        absl::Span<std::byte> to) {
  const Waiting waiting(this);
  last_demoted_ = device_->CopyToHost(from, to);
  Departures& departures = outbound_->departures;
  const auto bytes = static_cast<int64_t>(to.size());
  departures.Add(VersionOf(version), last_demoted_, bytes);
  departures.LimitTo(most_departing_bytes_);
  demoted_.Add(version, bytes);
  return last_demoted_;
}

BlockIo::HostSlot BlockIo::SlotOnHost(const BlockVersion& version) {
  if (version.zero()) return {};
  const int64_t count = version.size_bytes() / kFloatBytes;
  return {reinterpret_cast<float*>(SlotRange(version, 0, count).data()),
          outbound_->departures.NewestOf(VersionOf(version))};
}

HostBuffers::Buffer BlockIo::TakeHostBuffer(int64_t bytes) {
  const Waiting waiting(this);
  EndStaged(Unstage::kDone);
  // Nobody else ends those that are staged here.
  while (!staged_.empty()) {
    HostBuffers::Buffer buffer = device_->host_buffers().TryTake(bytes);
    if (buffer != nullptr) return buffer;
    EndStaged(Unstage::kOldest);
  }
  return device_->host_buffers().Take(bytes);
}

void BlockIo::EndStaged(Unstage which) {
  while (!staged_.empty()) {
    const Mark copied = staged_.front().copied;
    if (!device_->IsDone(copied)) {
      if (which == Unstage::kDone) return;
      device_->Await(copied);
    }
    staged_.pop_front();
    if (which == Unstage::kOldest) return;
  }
}

void BlockIo::MadeOnHost(const BlockVersion& version) {
  updates().Make(VersionOf(version), made_after_);
  last_made_ = updates().newest();
}

void BlockIo::ZeroTail(const BlockVersion& version, int64_t first) {
  const absl::Span<std::byte> tail =
      SlotRange(version, first, version.size_bytes() / kFloatBytes - first);
  std::fill(tail.begin(), tail.end(), std::byte{0});
}

void BlockIo::Keep(const BlockVersion& version, at::Tensor tensor) {
  if (cache_ == nullptr) return;
  cache_->Put(VersionOf(version), {std::move(tensor)});
  made_.push_back(VersionOf(version));
}

void BlockIo::Forget(const BlockVersion& version) {
  if (cache_ != nullptr) cache_->Drop(VersionOf(version));
}

void BlockIo::MakeWritable(const BlockVersion& version) {
  Forget(version);
  const Waiting waiting(this);
  outbound_->departures.WaitFor(VersionOf(version));
}

void BlockIo::Rollback() {
  for (VersionId version : made_) cache_->Drop(version);
  made_.clear();
}

int64_t BlockIo::SpareBytes() {
  return begun_bytes_ + DepartingBytes() +
         (cache_ == nullptr ? 0 : cache_->SpareBytes());
}

void BlockIo::AwaitReads() {
  const Waiting waiting(this);
  device_->Await(last_promoted_);
  EndStaged(Unstage::kAll);
}

void BlockIo::AwaitUpdates() {
  updates().Await(made_after_, updates().newest());
}

void BlockIo::Synchronize() {
  const Waiting waiting(this);
  AwaitUpdates();
  device_->Synchronize();
}

at::Tensor BlockIo::Empty(at::IntArrayRef shape) const {
  return at::empty(
      shape,
      at::TensorOptions().dtype(at::kFloat).device(device_->torch_device()));
}

void BlockIo::AwaitUpdate(const BlockVersion& version) {
  const Waiting waiting(this);
  updates().Await(VersionOf(version));
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

at::Tensor BlockIo::EmptyForCache(int64_t count) const {
  const DeviceArena::HighScope kept;
  return Empty({count});
}

Mark BlockIo::CopyToDevice(absl::Span<const std::byte> from,
                           const at::Tensor& to) {
  const Waiting waiting(this);
  last_promoted_ = device_->CopyToDevice(from, to);
  return last_promoted_;
}

at::Tensor BlockIo::TakeCached(const BlockVersion& version, int64_t first,
                               int64_t count) {
  if (cache_ == nullptr) return {};
  const auto cached = cache_->Get(VersionOf(version));
  if (!cached || cached->tensor.numel() < first + count) return {};
  WaitFor(cached->ready);
  (cached->prefetched ? promoted_ : cached_).Add(version, count * kFloatBytes);
  if (cached->tensor.numel() == count) return cached->tensor;
  return cached->tensor.narrow(0, first, count);
}

}  // namespace hydra
