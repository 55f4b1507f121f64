#ifndef HYDRA_WORKER_DEVICE_CUDA_CUDA_CALLS_H_
#define HYDRA_WORKER_DEVICE_CUDA_CUDA_CALLS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace hydra {

// What CUDA's handles point to is its own.
struct CudaStreamObject;
struct CudaEventObject;
using CudaStream = CudaStreamObject*;
using CudaEvent = CudaEventObject*;

// CUDA's default stream, in which LibTorch computes, whichever thread issues
// the operations. Streams that CreateStream makes do not wait for it by
// themselves.
constexpr CudaStream kComputeStream = nullptr;

// cudaError_t values that Hydra tells apart.
constexpr int kCudaErrorInvalidValue = 1;
constexpr int kCudaErrorMemoryAllocation = 2;
constexpr int kCudaErrorInsufficientDriver = 35;
constexpr int kCudaErrorNoDevice = 100;
constexpr int kCudaErrorNotSupported = 801;

// What a failed call of CUDA says: the call, the error's name and number, and
// CUDA's own words. RESOURCE_EXHAUSTED if there is no memory,
// FAILED_PRECONDITION if there is no driver or no device, else INTERNAL.
absl::Status CudaErrorStatus(absl::string_view call, int error,
                             absl::string_view name, absl::string_view text);

// The calls of CUDA's runtime that Hydra uses, and no more, so that what Hydra
// does with them is tested without a GPU (testing/fake_cuda.h).
//
// Thread-safe. Device memory is told by addresses that the host must not use.
// Errors are as CudaErrorStatus says, and leave nothing behind that LibTorch
// would find as CUDA's last error. Some errors stay: when an operation or a
// copy goes wrong on the device, every later call fails, and what was issued
// and not done never will be.
class CudaCalls {
 public:
  struct Memory {
    int64_t free_bytes = 0;
    int64_t total_bytes = 0;
  };

  virtual ~CudaCalls() = default;

  // Of those that CUDA_VISIBLE_DEVICES shows to this process.
  virtual absl::StatusOr<int> DeviceCount() = 0;
  // For the calling thread. All other calls are for the selected device; a
  // thread that selected none has device 0.
  virtual absl::Status SelectDevice(int ordinal) = 0;
  // Of the first device, where it is on the machine's bus: "0000:3B:00.0".
  virtual absl::StatusOr<std::string> PciBusId() = 0;
  // Of the whole device, whoever uses it.
  virtual absl::StatusOr<Memory> DeviceMemory() = 0;

  // Aligned to 256 bytes at least.
  virtual absl::StatusOr<std::byte*> Malloc(int64_t bytes) = 0;
  virtual absl::Status Free(std::byte* memory) = 0;

  virtual absl::StatusOr<CudaStream> CreateStream() = 0;
  // What was issued is still done.
  virtual absl::Status DestroyStream(CudaStream stream) = 0;
  virtual absl::Status SynchronizeStream(CudaStream stream) = 0;
  // Waits for all streams.
  virtual absl::Status SynchronizeDevice() = 0;

  // An event is done until it is recorded first. Waiting for it leaves the
  // processor to others.
  virtual absl::StatusOr<CudaEvent> CreateEvent() = 0;
  // One that knows when it was done.
  virtual absl::StatusOr<CudaEvent> CreateTimedEvent() = 0;
  virtual absl::Status DestroyEvent(CudaEvent event) = 0;
  // From now on `event` is done once all that `stream` was given so far is.
  virtual absl::Status RecordEvent(CudaEvent event, CudaStream stream) = 0;
  // These three are about the newest record at the time of the call.
  virtual absl::StatusOr<bool> IsDone(CudaEvent event) = 0;
  virtual absl::Status SynchronizeEvent(CudaEvent event) = 0;
  virtual absl::Status MakeStreamWait(CudaStream stream, CudaEvent event) = 0;
  // From one timed event to another one; both were recorded, and are done.
  virtual absl::StatusOr<absl::Duration> TimeBetween(CudaEvent begin,
                                                     CudaEvent end) = 0;

  // Copy in the stream's order; they return at once where the host memory is
  // pinned, and may else wait for the copy. A copy must lie in one pinned
  // range, or in none.
  virtual absl::Status CopyToDevice(CudaStream stream,
                                    absl::Span<const std::byte> from,
                                    std::byte* to) = 0;
  virtual absl::Status CopyToHost(CudaStream stream, const std::byte* from,
                                  absl::Span<std::byte> to) = 0;

  // Pins whole pages of host memory, so that the device copies from and to it
  // by itself. The kernel may refuse, see HostPins.
  virtual absl::Status RegisterHost(absl::Span<std::byte> memory) = 0;
  // Requires the begin of a registered range.
  virtual absl::Status UnregisterHost(std::byte* begin) = 0;

  // Pinned host memory, aligned to 256 bytes at least.
  virtual absl::StatusOr<std::byte*> AllocateHost(int64_t bytes) = 0;
  virtual absl::Status FreeHost(std::byte* memory) = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_CUDA_CALLS_H_
