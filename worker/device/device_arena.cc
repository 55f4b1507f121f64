#include "worker/device/device_arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

thread_local bool allocates_high = false;

absl::StatusOr<std::byte*> MapMemory(int64_t bytes) {
  void* begin = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (begin == MAP_FAILED) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "no address range of ", bytes, " bytes for a device: errno ", errno));
  }
  return static_cast<std::byte*>(begin);
}

}  // namespace

DeviceArena::HighScope::HighScope() : outer_(allocates_high) {
  allocates_high = true;
}

DeviceArena::HighScope::~HighScope() { allocates_high = outer_; }

DeviceArena::Source DeviceArena::HostMemory() {
  return {64, MapMemory,
          [](std::byte* begin, int64_t bytes) { munmap(begin, bytes); }};
}

absl::StatusOr<std::unique_ptr<DeviceArena>> DeviceArena::Create(
    int64_t limit_bytes, const Source& source) {
  if (limit_bytes <= 0 || limit_bytes % source.alignment_bytes != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a device's limit must be a positive multiple of ",
                     source.alignment_bytes, " bytes, not ", limit_bytes));
  }
  const absl::StatusOr<std::byte*> base = source.take(limit_bytes);
  if (!base.ok()) return base.status();
  return std::unique_ptr<DeviceArena>(
      new DeviceArena(source, *base, limit_bytes));
}

DeviceArena::DeviceArena(const Source& source, std::byte* base,
                         int64_t limit_bytes)
    : give_back_(source.give_back),
      base_(base),
      limit_bytes_(limit_bytes),
      slots_(0, limit_bytes, source.alignment_bytes) {}

DeviceArena::~DeviceArena() { give_back_(base_, limit_bytes_); }

void* DeviceArena::Allocate(int64_t bytes) {
  while (true) {
    if (void* pointer = TryAllocate(bytes)) return pointer;
    AwaitFree await_free;
    Reclaim reclaim;
    {
      absl::MutexLock lock(&mu_);
      await_free = await_free_;
      reclaim = reclaim_;
    }
    if (reclaim && reclaim(Reclaimed::kUnneeded)) continue;
    if (await_free && await_free()) continue;
    if (!reclaim || !reclaim(Reclaimed::kAny)) return nullptr;
  }
}

void* DeviceArena::TryAllocate(int64_t bytes) {
  absl::MutexLock lock(&mu_);
  const std::optional<Slot> slot =
      allocates_high ? slots_.AllocateHigh(bytes) : slots_.Allocate(bytes);
  if (!slot.has_value()) return nullptr;
  allocated_[slot->offset] = *slot;
  peak_bytes_ = std::max(peak_bytes_, slots_.used_bytes());
  highest_bytes_ = std::max(highest_bytes_, slots_.used_bytes());
  return base_ + slot->offset;
}

void DeviceArena::Free(void* pointer) {
  absl::MutexLock lock(&mu_);
  const auto node =
      allocated_.extract(static_cast<std::byte*>(pointer) - base_);
  slots_.Free(node.mapped());
}

bool DeviceArena::Contains(const void* pointer) const {
  const std::byte* at = static_cast<const std::byte*>(pointer);
  return at >= base_ && at < base_ + limit_bytes_;
}

void DeviceArena::SetReclaim(Reclaim reclaim) {
  absl::MutexLock lock(&mu_);
  reclaim_ = std::move(reclaim);
}

void DeviceArena::SetAwaitFree(AwaitFree await_free) {
  absl::MutexLock lock(&mu_);
  await_free_ = std::move(await_free);
}

int64_t DeviceArena::used_bytes() const {
  absl::MutexLock lock(&mu_);
  return slots_.used_bytes();
}

int64_t DeviceArena::largest_free_bytes() const {
  absl::MutexLock lock(&mu_);
  return slots_.largest_free_bytes();
}

int64_t DeviceArena::peak_bytes() const {
  absl::MutexLock lock(&mu_);
  return peak_bytes_;
}

void DeviceArena::ResetPeak() {
  absl::MutexLock lock(&mu_);
  peak_bytes_ = slots_.used_bytes();
}

int64_t DeviceArena::highest_bytes() const {
  absl::MutexLock lock(&mu_);
  return highest_bytes_;
}

}  // namespace hydra
