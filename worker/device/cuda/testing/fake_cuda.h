#ifndef HYDRA_WORKER_DEVICE_CUDA_TESTING_FAKE_CUDA_H_
#define HYDRA_WORKER_DEVICE_CUDA_TESTING_FAKE_CUDA_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "worker/device/cuda/cuda_calls.h"
#include "worker/device/device_arena.h"

namespace hydra {

// CUDA on a machine without a GPU: device memory is host memory, and each
// stream is a thread that does what it was given as late as it may: when
// somebody waits for it, or asks whether it is done. Between streams there is
// no order but that of events. So whoever forgets to wait finds other bytes, on
// every run.
//
// Where CUDA says "invalid value", so does this: for copies whose device range
// is not of one Malloc, and for those that cross the edge of a registered
// range.
class FakeCuda : public CudaCalls {
 public:
  struct Options {
    int devices = 1;
    int64_t memory_bytes = int64_t{64} << 20;
    // Whether a copy is done when the call returns, if its host memory is not
    // registered. CUDA may do either.
    bool unregistered_copies_wait = true;
    // How long a copy takes at least.
    absl::Duration copy_time;
    // Whether asking for an event brings on what it is behind, as time does.
    bool asking_brings_on = true;
    // Of registrations, how many the kernel allows; those after are refused.
    int allowed_registrations = 1 << 20;
    // Whether there is pinned host memory to be had.
    bool gives_host_memory = true;
  };

  FakeCuda() : FakeCuda(Options()) {}
  explicit FakeCuda(const Options& options);
  // Does what is left, in destroyed streams too. Memory that was not freed
  // stays, as tensors may.
  ~FakeCuda() override;

  FakeCuda(const FakeCuda&) = delete;
  FakeCuda& operator=(const FakeCuda&) = delete;

  absl::StatusOr<int> DeviceCount() override;
  absl::Status SelectDevice(int ordinal) override;
  absl::StatusOr<std::string> PciBusId() override;
  absl::StatusOr<Memory> DeviceMemory() override;
  absl::StatusOr<std::byte*> Malloc(int64_t bytes) override;
  absl::Status Free(std::byte* memory) override;
  absl::StatusOr<CudaStream> CreateStream() override;
  absl::Status DestroyStream(CudaStream stream) override;
  absl::Status SynchronizeStream(CudaStream stream) override;
  absl::Status SynchronizeDevice() override;
  absl::StatusOr<CudaEvent> CreateEvent() override;
  absl::StatusOr<CudaEvent> CreateTimedEvent() override;
  absl::Status DestroyEvent(CudaEvent event) override;
  absl::Status RecordEvent(CudaEvent event, CudaStream stream) override;
  absl::StatusOr<bool> IsDone(CudaEvent event) override;
  absl::Status SynchronizeEvent(CudaEvent event) override;
  absl::Status MakeStreamWait(CudaStream stream, CudaEvent event) override;
  absl::StatusOr<absl::Duration> TimeBetween(CudaEvent begin,
                                             CudaEvent end) override;
  absl::Status CopyToDevice(CudaStream stream, absl::Span<const std::byte> from,
                            std::byte* to) override;
  absl::Status CopyToHost(CudaStream stream, const std::byte* from,
                          absl::Span<std::byte> to) override;
  absl::Status RegisterHost(absl::Span<std::byte> memory) override;
  absl::Status UnregisterHost(std::byte* begin) override;
  absl::StatusOr<std::byte*> AllocateHost(int64_t bytes) override;
  absl::Status FreeHost(std::byte* memory) override;

  // What only tests do.

  // An operation of the device, in the stream's order.
  void Launch(CudaStream stream, std::function<void()> kernel);
  // Every call fails from now on, and nothing that waits is done any more.
  void Break(int error, const std::string& name);

  // What there is, to see that it was given back, and what was asked for.
  int streams() const;
  int events() const;
  int64_t registered_bytes() const;
  int registrations() const;
  int64_t copies() const;
  // Of them, those from or to host memory that is not pinned.
  int64_t unpinned_copies() const;

 private:
  struct Stream;
  // A place in a stream: what it was given up to then.
  struct Place {
    std::shared_ptr<Stream> stream;
    uint64_t number = 0;
  };
  struct Step {
    std::function<void()> work;
    // What must be done before.
    Place after;
  };
  struct Stream {
    std::deque<Step> steps;
    uint64_t done = 0;
    // Up to where somebody wants it.
    uint64_t wanted = 0;
    bool ending = false;
    std::thread thread;

    uint64_t given() const { return done + steps.size(); }
  };
  using StreamPointer = std::shared_ptr<Stream>;

  struct Event {
    Place place;
    // When it was done; null: it has no times.
    std::shared_ptr<absl::Time> time;
  };

  absl::StatusOr<CudaEvent> NewEvent(bool timed) ABSL_LOCKS_EXCLUDED(mu_);
  StreamPointer NewStream() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void End(const StreamPointer& stream) ABSL_LOCKS_EXCLUDED(mu_);
  void Run(Stream* stream) ABSL_LOCKS_EXCLUDED(mu_);
  static void Want(const Place& place);
  bool IsDone(const Place& place) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  // OK once it is done.
  absl::Status Wait(const Place& place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status Copy(CudaStream stream, const std::byte* from, std::byte* to,
                    absl::Span<const std::byte> host, const std::byte* device)
      ABSL_LOCKS_EXCLUDED(mu_);
  bool IsDeviceRange(const std::byte* begin, size_t bytes) const
      ABSL_SHARED_LOCKS_REQUIRED(mu_);
  enum class Registered { kNot, kWhole, kInPart };
  Registered IsRegistered(absl::Span<const std::byte> host) const
      ABSL_SHARED_LOCKS_REQUIRED(mu_);
  absl::Status Failure(const char* call) const ABSL_SHARED_LOCKS_REQUIRED(mu_);

  const Options options_;
  const DeviceArena::Source host_memory_ = DeviceArena::HostMemory();

  mutable absl::Mutex mu_;
  std::map<CudaStream, StreamPointer> streams_ ABSL_GUARDED_BY(mu_);
  std::vector<StreamPointer> destroyed_ ABSL_GUARDED_BY(mu_);
  std::map<CudaEvent, Event> events_ ABSL_GUARDED_BY(mu_);
  uintptr_t handles_ ABSL_GUARDED_BY(mu_) = 0;
  // By begin, the bytes.
  std::map<const std::byte*, int64_t> memory_ ABSL_GUARDED_BY(mu_);
  std::map<const std::byte*, int64_t> registered_ ABSL_GUARDED_BY(mu_);
  int registrations_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t copies_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t unpinned_copies_ ABSL_GUARDED_BY(mu_) = 0;
  // 0: none.
  int broken_ ABSL_GUARDED_BY(mu_) = 0;
  std::string broken_name_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DEVICE_CUDA_TESTING_FAKE_CUDA_H_
