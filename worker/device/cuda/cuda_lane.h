#ifndef HYDRA_WORKER_DEVICE_CUDA_CUDA_LANE_H_
#define HYDRA_WORKER_DEVICE_CUDA_CUDA_LANE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "worker/device/cuda/cuda_calls.h"

namespace hydra {

// A lane of copies: its stream, and what is known of its copies, which are
// numbered from 1. Behind each that is not done stands an event; there are only
// so many, used in turn.
//
// Not thread-safe. Owns its stream and events. Holds each copy's tensor, and so
// its memory, until the copy is known to be done.
class CudaLane {
 public:
  // `most_copies`: that may be not done at once. `calls` must outlive this.
  // Errors: what CUDA said.
  static absl::StatusOr<std::unique_ptr<CudaLane>> Create(CudaCalls* calls,
                                                          int most_copies);
  // Requires that all is done, or that the device has failed.
  ~CudaLane();

  CudaLane(const CudaLane&) = delete;
  CudaLane& operator=(const CudaLane&) = delete;

  CudaStream stream() const { return stream_; }

  uint64_t issued() const { return done_ + copies_.size(); }
  uint64_t done() const { return done_; }
  // Then no further copy may be added.
  bool full() const { return copies_.size() == events_.size(); }

  // The event of a copy that is not done, or of the next one, to be recorded
  // behind it.
  CudaEvent EventOf(uint64_t number) const {
    return events_[number % events_.size()];
  }

  // The next copy, whose event was recorded. `host` is what it reads or writes.
  void Add(at::Tensor tensor, absl::Span<const std::byte> host);

  // All copies up to `number` are done.
  void SetDone(uint64_t number);

  // The device has failed: none of the copies uses its tensor any more, nor
  // will any be done.
  void DropTensors();

  // The newest copy not done that uses some of `host`; 0: none.
  uint64_t NewestUseOf(absl::Span<const std::byte> host) const;

 private:
  struct Copy {
    at::Tensor tensor;
    absl::Span<const std::byte> host;
  };

  CudaLane(CudaCalls* calls, CudaStream stream)
      : calls_(calls), stream_(stream) {}

  CudaCalls* const calls_;
  const CudaStream stream_;
  std::vector<CudaEvent> events_;

  std::deque<Copy> copies_;
  uint64_t done_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_CUDA_LANE_H_
