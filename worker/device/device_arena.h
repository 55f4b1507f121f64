#ifndef HYDRA_WORKER_DEVICE_DEVICE_ARENA_H_
#define HYDRA_WORKER_DEVICE_DEVICE_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/pool/slot_allocator.h"

namespace hydra {

// The memory of a device: one range of exactly the device's limit, so that the
// limit cannot be exceeded.
//
// Thread-safe. Owns the range, of which it touches no byte; pointers into it
// die with it.
class DeviceArena {
 public:
  // Where an arena's range comes from.
  struct Source {
    // A power of two. Every allocation begins at a multiple of this and
    // occupies a multiple.
    int64_t alignment_bytes = 0;
    // A range that begins at such a multiple.
    std::function<absl::StatusOr<std::byte*>(int64_t bytes)> take;
    std::function<void(std::byte* begin, int64_t bytes)> give_back;
  };

  // Host memory: a shared mapping, which the kernel counts apart (RssShmem)
  // from what libraries take beside it (RssAnon). RESOURCE_EXHAUSTED: the
  // kernel has no such range.
  static Source HostMemory();

  // While one lives, what its thread allocates lies as high as it can, and else
  // as low: what stays on the device for later, and what operations make and
  // drop. So the one leaves no holes in the other.
  class HighScope {
   public:
    HighScope();
    ~HighScope();
    HighScope(const HighScope&) = delete;
    HighScope& operator=(const HighScope&) = delete;

   private:
    const bool outer_;
  };

  // Asked, with no lock held, when an allocation found no room: at first for
  // what nobody is known to need, then, when nothing comes back by itself
  // either, for anything. Returns whether it freed anything, so that trying
  // again may help. May free, must not allocate.
  enum class Reclaimed { kUnneeded, kAny };
  using Reclaim = std::function<bool(Reclaimed what)>;

  // Asked in between, likewise: whether it waited for memory that is on its way
  // back, such as that of a copy.
  using AwaitFree = std::function<bool()>;

  // INVALID_ARGUMENT: limit_bytes is not a positive multiple of the source's
  //   alignment.
  // Others: what the source said.
  static absl::StatusOr<std::unique_ptr<DeviceArena>> Create(
      int64_t limit_bytes, const Source& source = HostMemory());
  ~DeviceArena();

  DeviceArena(const DeviceArena&) = delete;
  DeviceArena& operator=(const DeviceArena&) = delete;

  // Null if no free range is long enough, after as many waits and reclaims as
  // help.
  // Requires bytes > 0.
  void* Allocate(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);

  // Requires a pointer that Allocate returned.
  void Free(void* pointer) ABSL_LOCKS_EXCLUDED(mu_);

  bool Contains(const void* pointer) const;

  // Replaces the one before; empty: none.
  void SetReclaim(Reclaim reclaim) ABSL_LOCKS_EXCLUDED(mu_);
  void SetAwaitFree(AwaitFree await_free) ABSL_LOCKS_EXCLUDED(mu_);

  int64_t limit_bytes() const { return limit_bytes_; }
  int64_t used_bytes() const ABSL_LOCKS_EXCLUDED(mu_);
  int64_t largest_free_bytes() const ABSL_LOCKS_EXCLUDED(mu_);

  // Most bytes in use at once since the last ResetPeak.
  int64_t peak_bytes() const ABSL_LOCKS_EXCLUDED(mu_);
  void ResetPeak() ABSL_LOCKS_EXCLUDED(mu_);

  // Most bytes in use at once since the start.
  int64_t highest_bytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  DeviceArena(const Source& source, std::byte* base, int64_t limit_bytes);

  void* TryAllocate(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);

  const std::function<void(std::byte*, int64_t)> give_back_;
  std::byte* const base_;
  const int64_t limit_bytes_;

  mutable absl::Mutex mu_;
  SlotAllocator slots_ ABSL_GUARDED_BY(mu_);
  // By offset.
  absl::flat_hash_map<int64_t, Slot> allocated_ ABSL_GUARDED_BY(mu_);
  int64_t peak_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t highest_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  Reclaim reclaim_ ABSL_GUARDED_BY(mu_);
  AwaitFree await_free_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_DEVICE_ARENA_H_
