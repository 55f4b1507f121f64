#ifndef HYDRA_WORKER_MODEL_COUNTING_ALLOCATOR_H_
#define HYDRA_WORKER_MODEL_COUNTING_ALLOCATOR_H_

#include <cstdint>

namespace hydra {

// For tests: counts the host memory that LibTorch's tensors take in this
// process while it lives. At most one at a time.
class CountingAllocator {
 public:
  CountingAllocator();
  ~CountingAllocator();
  CountingAllocator(const CountingAllocator&) = delete;
  CountingAllocator& operator=(const CountingAllocator&) = delete;

  // In use now, of those taken since construction or the last Reset(): less
  // than none if more is freed that was taken before.
  int64_t used_bytes() const;
  // Most bytes in use at once of those taken since construction or the last
  // Reset().
  int64_t peak_bytes() const;
  void Reset();
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_COUNTING_ALLOCATOR_H_
