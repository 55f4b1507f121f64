#ifndef HYDRA_WORKER_DEVICE_HOST_BUFFERS_H_
#define HYDRA_WORKER_DEVICE_HOST_BUFFERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace hydra {

// Host memory beside the pool for copies from and to a device, of the kind that
// the device copies fastest: on a GPU it is pinned, and a copy holds nobody up.
// Such memory is slow to get, so it is used again, and only given back where
// there would be too much of it, and at the end.
//
// If the source refuses, the log says so once, and buffers are plain memory
// from then on: copies still work.
//
// Thread-safe. Must outlive its buffers.
class HostBuffers {
 public:
  // Goes back when the last copy of the pointer goes. Uninitialized, aligned to
  // 64 bytes at least.
  using Buffer = std::shared_ptr<std::byte>;

  struct Source {
    std::function<absl::StatusOr<std::byte*>(int64_t bytes)> take;
    std::function<void(std::byte* begin)> give_back;
  };
  static Source PlainMemory();

  // What buffers take at most together beside a device of so much memory, but
  // that one is always given.
  static int64_t MostBytes(int64_t device_bytes);

  explicit HostBuffers(int64_t most_bytes, Source source = PlainMemory());
  ~HostBuffers();

  HostBuffers(const HostBuffers&) = delete;
  HostBuffers& operator=(const HostBuffers&) = delete;

  // So many bytes or some more. Waits until there is room. Requires bytes > 0.
  Buffer Take(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);
  // Null: there is no room.
  Buffer TryTake(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);

  // Those that are out, and those that wait for their next use.
  int64_t held_bytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Memory {
    std::byte* begin = nullptr;
    int64_t bytes = 0;
    bool is_plain = false;
  };

  bool HasRoom(int64_t bytes) const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return out_bytes_ == 0 || out_bytes_ + bytes <= most_bytes_;
  }
  // Requires room.
  Buffer TakeNow(int64_t bytes) ABSL_UNLOCK_FUNCTION(mu_);
  // Of those free, one that will do; its `begin` is null if there is none.
  Memory TakeFree(int64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Memory Allocate(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);
  void GiveBack(const Memory& memory) const;

  const int64_t most_bytes_;
  const Source source_;
  const Source plain_ = PlainMemory();

  mutable absl::Mutex mu_;
  int64_t out_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t free_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  // The one that came back last is the last.
  std::vector<Memory> free_ ABSL_GUARDED_BY(mu_);
  bool refused_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_HOST_BUFFERS_H_
