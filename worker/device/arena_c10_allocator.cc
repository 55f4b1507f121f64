#include "worker/device/arena_c10_allocator.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "c10/core/Allocator.h"
#include "c10/core/CPUAllocator.h"
#include "c10/util/Exception.h"

namespace hydra {
namespace {

// LibTorch frees by pointer alone, so every arena that was ever in use is kept
// here.
class Arenas {
 public:
  DeviceArena* Add(std::unique_ptr<DeviceArena> arena)
      ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    arenas_.push_back(std::move(arena));
    return arenas_.back().get();
  }

  DeviceArena* Newest() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::ReaderMutexLock lock(&mu_);
    return arenas_.back().get();
  }

  void Free(void* pointer) const ABSL_LOCKS_EXCLUDED(mu_) {
    DeviceArena* owner = nullptr;
    {
      absl::ReaderMutexLock lock(&mu_);
      for (const std::unique_ptr<DeviceArena>& arena : arenas_) {
        if (arena->Contains(pointer)) owner = arena.get();
      }
    }
    owner->Free(pointer);
  }

 private:
  mutable absl::Mutex mu_;
  std::vector<std::unique_ptr<DeviceArena>> arenas_ ABSL_GUARDED_BY(mu_);
};

Arenas& AllArenas() {
  static auto* arenas = new Arenas;
  return *arenas;
}

void FreeTensorMemory(void* pointer) {
  if (pointer != nullptr) AllArenas().Free(pointer);
}

class ArenaC10Allocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* const pointer = AllocateOrThrow(*AllArenas().Newest(), bytes);
    return {pointer, pointer, &FreeTensorMemory,
            c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &FreeTensorMemory; }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }
};

}  // namespace

void* AllocateOrThrow(DeviceArena& arena, size_t bytes) {
  if (bytes == 0) return nullptr;
  void* const pointer = arena.Allocate(static_cast<int64_t>(bytes));
  TORCH_CHECK_WITH(
      OutOfMemoryError, pointer != nullptr, "the device has no ", bytes,
      " bytes in one piece: ", arena.used_bytes(), " of ", arena.limit_bytes(),
      " are in use, the largest free piece has ", arena.largest_free_bytes());
  return pointer;
}

DeviceArena* UseArenaForCpuTensors(std::unique_ptr<DeviceArena> arena) {
  DeviceArena* const kept = AllArenas().Add(std::move(arena));
  static auto* allocator = new ArenaC10Allocator;
  c10::SetCPUAllocator(allocator, /*priority=*/255);
  return kept;
}

}  // namespace hydra
