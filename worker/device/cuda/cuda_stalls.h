#ifndef HYDRA_WORKER_DEVICE_CUDA_CUDA_STALLS_H_
#define HYDRA_WORKER_DEVICE_CUDA_CUDA_STALLS_H_

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "worker/device/cuda/cuda_calls.h"

namespace hydra {

// Lets the compute stream wait, and measures for how long it stood still: an
// event before the wait and one behind it. The host cannot see that, since it
// goes on meanwhile.
//
// Not thread-safe. Owns its events.
class CudaStalls {
 public:
  // `most`: waits that may be not over and measured at once; those beyond are
  // not measured. `calls` must outlive this.
  CudaStalls(CudaCalls* calls, size_t most) : calls_(calls), most_(most) {}
  // Requires that all is done, or that the device has failed.
  ~CudaStalls();

  CudaStalls(const CudaStalls&) = delete;
  CudaStalls& operator=(const CudaStalls&) = delete;

  // What the compute stream is given from now on comes after `event`. Errors:
  // what CUDA said.
  absl::Status Wait(CudaEvent event);

  // Of the waits that are over. After a failure, of those before it.
  absl::Duration Total();

 private:
  struct Stall {
    CudaEvent begin = nullptr;
    CudaEvent end = nullptr;
  };

  absl::Status Measure(CudaEvent event, const Stall& stall);
  // Adds up those that are over.
  void Learn();

  CudaCalls* const calls_;
  const size_t most_;
  // The oldest first.
  std::deque<Stall> stalls_;
  std::vector<Stall> unused_;
  absl::Duration total_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_CUDA_STALLS_H_
