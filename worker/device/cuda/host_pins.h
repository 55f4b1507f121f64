#ifndef HYDRA_WORKER_DEVICE_CUDA_HOST_PINS_H_
#define HYDRA_WORKER_DEVICE_CUDA_HOST_PINS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "worker/device/cuda/cuda_calls.h"

namespace hydra {

// Pins the host memory that a device copies from and to, slab by slab: each
// once a copy used it, by a thread of its own, since a large range takes long.
// What is not pinned is copied all the same, but slower, and not beside
// computing.
//
// The kernel may refuse: for ordinary files' mappings (from Linux 6.5 on), or
// where too much is pinned already. Then the log says so, once, and no further
// slab is tried.
//
// Thread-safe. Owns no memory, but must end before the memory does.
class HostPins {
 public:
  // `memory`: begins at a page; may be empty. Its first slab is tried before
  // this returns. `slab_bytes` is a multiple of a page.
  HostPins(CudaCalls* calls, absl::Span<std::byte> memory, int64_t slab_bytes);
  // Unpins. No copy may be under way.
  ~HostPins();

  HostPins(const HostPins&) = delete;
  HostPins& operator=(const HostPins&) = delete;

  // The parts of `host` that must be copied on their own, since each lies in
  // one slab or in none. They will be pinned soon.
  std::vector<absl::Span<const std::byte>> Use(absl::Span<const std::byte> host)
      ABSL_LOCKS_EXCLUDED(mu_);

  int64_t pinned_bytes() const ABSL_LOCKS_EXCLUDED(mu_);
  // Whether nothing is pinned any more unless a further copy asks for it.
  bool IsIdle() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  enum class Slab { kNotUsed, kAsked, kPinned };

  absl::Span<std::byte> SlabAt(size_t index) const;
  void Ask(size_t index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Run() ABSL_LOCKS_EXCLUDED(mu_);
  void Pin(size_t index) ABSL_LOCKS_EXCLUDED(mu_);

  CudaCalls* const calls_;
  const absl::Span<std::byte> memory_;
  const size_t slab_bytes_;

  mutable absl::Mutex mu_;
  std::vector<Slab> slabs_ ABSL_GUARDED_BY(mu_);
  // The first one may be under way.
  std::deque<size_t> asked_ ABSL_GUARDED_BY(mu_);
  int64_t pinned_bytes_ ABSL_GUARDED_BY(mu_) = 0;
  bool refused_ ABSL_GUARDED_BY(mu_) = false;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;

  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_HOST_PINS_H_
