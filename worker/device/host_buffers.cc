#include "worker/device/host_buffers.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "glog/logging.h"

namespace hydra {
namespace {

constexpr int64_t kAlignment = 64;
// What is asked for differs little from one use to the next.
constexpr int64_t kGrain = 4096;
// A free buffer that is longer than this times what is asked for stays free.
constexpr int64_t kMostSlack = 2;

constexpr int64_t kMostBytes = int64_t{1} << 30;
// Of the device's memory, one part in so many.
constexpr int64_t kShare = 4;

int64_t RoundUp(int64_t bytes) {
  return (bytes + kGrain - 1) / kGrain * kGrain;
}

}  // namespace

HostBuffers::Source HostBuffers::PlainMemory() {
  return {[](int64_t bytes) -> absl::StatusOr<std::byte*> {
            void* const memory = std::aligned_alloc(kAlignment, bytes);
            if (memory == nullptr) throw std::bad_alloc();
            return static_cast<std::byte*>(memory);
          },
          [](std::byte* begin) { std::free(begin); }};
}

int64_t HostBuffers::MostBytes(int64_t device_bytes) {
  return std::min(kMostBytes, device_bytes / kShare);
}

HostBuffers::HostBuffers(int64_t most_bytes, Source source)
    : most_bytes_(most_bytes), source_(std::move(source)) {}

HostBuffers::~HostBuffers() {
  absl::MutexLock lock(&mu_);
  for (const Memory& memory : free_) GiveBack(memory);
}

HostBuffers::Buffer HostBuffers::Take(int64_t bytes) {
  const int64_t whole = RoundUp(bytes);
  const auto has_room = [this, whole]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return HasRoom(whole);
  };
  mu_.LockWhen(absl::Condition(&has_room));
  return TakeNow(whole);
}

HostBuffers::Buffer HostBuffers::TryTake(int64_t bytes) {
  const int64_t whole = RoundUp(bytes);
  mu_.Lock();
  if (HasRoom(whole)) return TakeNow(whole);
  mu_.Unlock();
  return nullptr;
}

HostBuffers::Buffer HostBuffers::TakeNow(int64_t bytes) {
  std::vector<Memory> too_much;
  Memory memory = TakeFree(bytes);
  if (memory.begin == nullptr) {
    while (!free_.empty() && out_bytes_ + free_bytes_ + bytes > most_bytes_) {
      too_much.push_back(free_.front());
      free_bytes_ -= free_.front().bytes;
      free_.erase(free_.begin());
    }
    memory.bytes = bytes;
  }
  out_bytes_ += memory.bytes;
  mu_.Unlock();
  for (const Memory& old : too_much) GiveBack(old);
  if (memory.begin == nullptr) {
    try {
      memory = Allocate(bytes);
    } catch (...) {
      absl::MutexLock lock(&mu_);
      out_bytes_ -= bytes;
      throw;
    }
  }
  return Buffer(memory.begin, [this, memory](std::byte*) {
    absl::MutexLock lock(&mu_);
    free_.push_back(memory);
    free_bytes_ += memory.bytes;
    out_bytes_ -= memory.bytes;
  });
}

HostBuffers::Memory HostBuffers::TakeFree(int64_t bytes) {
  auto best = free_.end();
  for (auto it = free_.begin(); it != free_.end(); ++it) {
    const bool fits = it->bytes >= bytes && it->bytes <= kMostSlack * bytes &&
                      HasRoom(it->bytes);
    // The last one's bytes may still be in the processor's caches.
    if (fits && (best == free_.end() || it->bytes <= best->bytes)) best = it;
  }
  if (best == free_.end()) return {};
  const Memory memory = *best;
  free_bytes_ -= memory.bytes;
  free_.erase(best);
  return memory;
}

HostBuffers::Memory HostBuffers::Allocate(int64_t bytes) {
  bool refused;
  {
    absl::MutexLock lock(&mu_);
    refused = refused_;
  }
  if (!refused) {
    const absl::StatusOr<std::byte*> begin = source_.take(bytes);
    if (begin.ok()) return {*begin, bytes, /*is_plain=*/false};
    absl::MutexLock lock(&mu_);
    LOG_IF(WARNING, !refused_)
        << "no host memory that the device copies fast: "
        << begin.status().message()
        << ". What does not lie in the pool is copied more slowly, and holds "
           "up the thread that issues operations";
    refused_ = true;
  }
  return {plain_.take(bytes).value(), bytes, /*is_plain=*/true};
}

void HostBuffers::GiveBack(const Memory& memory) const {
  (memory.is_plain ? plain_ : source_).give_back(memory.begin);
}

int64_t HostBuffers::held_bytes() const {
  absl::MutexLock lock(&mu_);
  return out_bytes_ + free_bytes_;
}

}  // namespace hydra
