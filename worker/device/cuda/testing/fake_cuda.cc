#include "worker/device/cuda/testing/fake_cuda.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "common/clock/steady_time.h"

namespace hydra {
namespace {

absl::Status InvalidValue(const char* call) {
  return CudaErrorStatus(call, kCudaErrorInvalidValue, "cudaErrorInvalidValue",
                         "invalid argument");
}

// The range of `ranges` that `at` lies in.
std::optional<absl::Span<const std::byte>> RangeAt(
    const std::map<const std::byte*, int64_t>& ranges, const std::byte* at) {
  auto next = ranges.upper_bound(at);
  if (next == ranges.begin()) return std::nullopt;
  const auto [begin, bytes] = *std::prev(next);
  if (at >= begin + bytes) return std::nullopt;
  return absl::MakeConstSpan(begin, bytes);
}

bool Contains(absl::Span<const std::byte> range, const std::byte* begin,
              size_t bytes) {
  return begin >= range.data() && begin + bytes <= range.data() + range.size();
}

}  // namespace

FakeCuda::FakeCuda(const Options& options) : options_(options) {
  absl::MutexLock lock(&mu_);
  streams_[kComputeStream] = NewStream();
}

FakeCuda::~FakeCuda() {
  std::vector<StreamPointer> streams;
  {
    absl::MutexLock lock(&mu_);
    streams = destroyed_;
    for (const auto& [handle, stream] : streams_) streams.push_back(stream);
    for (const StreamPointer& stream : streams) {
      Wait({stream, stream->given()}).IgnoreError();
    }
  }
  for (const StreamPointer& stream : streams) End(stream);
}

FakeCuda::StreamPointer FakeCuda::NewStream() {
  auto stream = std::make_shared<Stream>();
  stream->thread = std::thread([this, stream = stream.get()] { Run(stream); });
  return stream;
}

void FakeCuda::End(const StreamPointer& stream) {
  {
    absl::MutexLock lock(&mu_);
    stream->ending = true;
  }
  stream->thread.join();
}

void FakeCuda::Run(Stream* stream) {
  const auto may_go_on = [this, stream]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return broken_ != 0 || stream->ending || stream->done < stream->wanted;
  };
  absl::MutexLock lock(&mu_);
  while (true) {
    mu_.Await(absl::Condition(&may_go_on));
    if (broken_ != 0) stream->steps.clear();
    if (stream->steps.empty()) {
      const auto may_end = [stream] { return stream->ending; };
      if (broken_ != 0) mu_.Await(absl::Condition(&may_end));
      if (stream->ending) return;
      continue;
    }
    Step& step = stream->steps.front();
    if (step.after.stream != nullptr && !Wait(step.after).ok()) continue;
    if (step.work) {
      const std::function<void()> work = std::move(step.work);
      mu_.Unlock();
      work();
      mu_.Lock();
      if (broken_ != 0) continue;
    }
    stream->steps.pop_front();
    ++stream->done;
  }
}

void FakeCuda::Want(const Place& place) {
  place.stream->wanted = std::max(place.stream->wanted, place.number);
}

bool FakeCuda::IsDone(const Place& place) const {
  return place.stream == nullptr || place.stream->done >= place.number;
}

absl::Status FakeCuda::Wait(const Place& place) {
  const auto is_over = [this, &place]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return broken_ != 0 || IsDone(place);
  };
  if (place.stream != nullptr) Want(place);
  mu_.Await(absl::Condition(&is_over));
  return Failure("synchronize");
}

absl::Status FakeCuda::Failure(const char* call) const {
  if (broken_ == 0) return absl::OkStatus();
  return CudaErrorStatus(call, broken_, broken_name_, "the device has failed");
}

absl::StatusOr<int> FakeCuda::DeviceCount() {
  if (options_.devices == 0) {
    return CudaErrorStatus("cudaGetDeviceCount", kCudaErrorNoDevice,
                           "cudaErrorNoDevice",
                           "no CUDA-capable device is detected");
  }
  return options_.devices;
}

absl::Status FakeCuda::SelectDevice(int ordinal) {
  if (ordinal < 0 || ordinal >= options_.devices) {
    return InvalidValue("cudaSetDevice");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FakeCuda::PciBusId() { return "0000:3B:00.0"; }

absl::StatusOr<CudaCalls::Memory> FakeCuda::DeviceMemory() {
  absl::MutexLock lock(&mu_);
  int64_t used = 0;
  for (const auto& [begin, bytes] : memory_) used += bytes;
  return Memory{options_.memory_bytes - used, options_.memory_bytes};
}

absl::StatusOr<std::byte*> FakeCuda::Malloc(int64_t bytes) {
  const absl::StatusOr<Memory> memory = DeviceMemory();
  absl::MutexLock lock(&mu_);
  if (absl::Status failure = Failure("cudaMalloc"); !failure.ok()) {
    return failure;
  }
  if (bytes > memory->free_bytes) {
    return CudaErrorStatus("cudaMalloc", kCudaErrorMemoryAllocation,
                           "cudaErrorMemoryAllocation", "out of memory");
  }
  const absl::StatusOr<std::byte*> begin = host_memory_.take(bytes);
  if (begin.ok()) memory_[*begin] = bytes;
  return begin;
}

absl::Status FakeCuda::Free(std::byte* memory) {
  absl::MutexLock lock(&mu_);
  const auto found = memory_.find(memory);
  if (found == memory_.end()) return InvalidValue("cudaFree");
  host_memory_.give_back(memory, found->second);
  memory_.erase(found);
  return Failure("cudaFree");
}

absl::StatusOr<CudaStream> FakeCuda::CreateStream() {
  absl::MutexLock lock(&mu_);
  if (absl::Status failure = Failure("cudaStreamCreate"); !failure.ok()) {
    return failure;
  }
  const auto handle = reinterpret_cast<CudaStream>(++handles_);
  streams_[handle] = NewStream();
  return handle;
}

absl::Status FakeCuda::DestroyStream(CudaStream handle) {
  absl::MutexLock lock(&mu_);
  destroyed_.push_back(streams_.at(handle));
  streams_.erase(handle);
  return Failure("cudaStreamDestroy");
}

absl::Status FakeCuda::SynchronizeStream(CudaStream handle) {
  absl::MutexLock lock(&mu_);
  const StreamPointer stream = streams_.at(handle);
  return Wait({stream, stream->given()});
}

absl::Status FakeCuda::SynchronizeDevice() {
  absl::MutexLock lock(&mu_);
  const std::map<CudaStream, StreamPointer> streams = streams_;
  for (const auto& [handle, stream] : streams) {
    absl::Status done = Wait({stream, stream->given()});
    if (!done.ok()) return done;
  }
  return absl::OkStatus();
}

absl::StatusOr<CudaEvent> FakeCuda::NewEvent(bool timed) {
  absl::MutexLock lock(&mu_);
  if (absl::Status failure = Failure("cudaEventCreate"); !failure.ok()) {
    return failure;
  }
  const auto handle = reinterpret_cast<CudaEvent>(++handles_);
  events_[handle] = {};
  if (timed) events_[handle].time = std::make_shared<absl::Time>();
  return handle;
}

absl::StatusOr<CudaEvent> FakeCuda::CreateEvent() {
  return NewEvent(/*timed=*/false);
}

absl::StatusOr<CudaEvent> FakeCuda::CreateTimedEvent() {
  return NewEvent(/*timed=*/true);
}

absl::Status FakeCuda::DestroyEvent(CudaEvent event) {
  absl::MutexLock lock(&mu_);
  events_.erase(event);
  return Failure("cudaEventDestroy");
}

absl::Status FakeCuda::RecordEvent(CudaEvent event, CudaStream handle) {
  absl::MutexLock lock(&mu_);
  const StreamPointer stream = streams_.at(handle);
  Event& recorded = events_.at(event);
  if (recorded.time != nullptr) {
    stream->steps.push_back(
        {[time = recorded.time] { *time = SteadyNow(); }, {}});
  }
  recorded.place = {stream, stream->given()};
  return Failure("cudaEventRecord");
}

absl::StatusOr<bool> FakeCuda::IsDone(CudaEvent event) {
  absl::MutexLock lock(&mu_);
  if (absl::Status failure = Failure("cudaEventQuery"); !failure.ok()) {
    return failure;
  }
  const Place& place = events_.at(event).place;
  if (IsDone(place)) return true;
  if (options_.asking_brings_on) Want(place);
  return false;
}

absl::Status FakeCuda::SynchronizeEvent(CudaEvent event) {
  absl::MutexLock lock(&mu_);
  const Place place = events_.at(event).place;
  return Wait(place);
}

absl::Status FakeCuda::MakeStreamWait(CudaStream stream, CudaEvent event) {
  absl::MutexLock lock(&mu_);
  streams_.at(stream)->steps.push_back({nullptr, events_.at(event).place});
  return Failure("cudaStreamWaitEvent");
}

absl::StatusOr<absl::Duration> FakeCuda::TimeBetween(CudaEvent begin,
                                                     CudaEvent end) {
  constexpr char kCall[] = "cudaEventElapsedTime";
  absl::MutexLock lock(&mu_);
  if (absl::Status failure = Failure(kCall); !failure.ok()) return failure;
  for (CudaEvent event : {begin, end}) {
    const Event& asked = events_.at(event);
    if (asked.time == nullptr || !IsDone(asked.place)) {
      return InvalidValue(kCall);
    }
  }
  return *events_.at(end).time - *events_.at(begin).time;
}

bool FakeCuda::IsDeviceRange(const std::byte* begin, size_t bytes) const {
  const auto range = RangeAt(memory_, begin);
  return range.has_value() && Contains(*range, begin, bytes);
}

FakeCuda::Registered FakeCuda::IsRegistered(
    absl::Span<const std::byte> host) const {
  if (const auto range = RangeAt(registered_, host.data())) {
    return Contains(*range, host.data(), host.size()) ? Registered::kWhole
                                                      : Registered::kInPart;
  }
  const auto next = registered_.upper_bound(host.data());
  return next == registered_.end() || next->first >= host.data() + host.size()
             ? Registered::kNot
             : Registered::kInPart;
}

absl::Status FakeCuda::Copy(CudaStream handle, const std::byte* from,
                            std::byte* to, absl::Span<const std::byte> host,
                            const std::byte* device) {
  constexpr char kCall[] = "cudaMemcpyAsync";
  const size_t bytes = host.size();
  absl::MutexLock lock(&mu_);
  if (absl::Status failure = Failure(kCall); !failure.ok()) return failure;
  if (bytes == 0) return absl::OkStatus();
  const Registered registered = IsRegistered(host);
  if (registered == Registered::kInPart || !IsDeviceRange(device, bytes)) {
    return InvalidValue(kCall);
  }
  ++copies_;
  if (registered == Registered::kNot) ++unpinned_copies_;
  const StreamPointer stream = streams_.at(handle);
  stream->steps.push_back({[this, from, to, bytes] {
                             absl::SleepFor(options_.copy_time);
                             std::memcpy(to, from, bytes);
                           },
                           {}});
  if (registered == Registered::kWhole || !options_.unregistered_copies_wait) {
    return absl::OkStatus();
  }
  return Wait({stream, stream->given()});
}

absl::Status FakeCuda::CopyToDevice(CudaStream stream,
                                    absl::Span<const std::byte> from,
                                    std::byte* to) {
  return Copy(stream, from.data(), to, from, to);
}

absl::Status FakeCuda::CopyToHost(CudaStream stream, const std::byte* from,
                                  absl::Span<std::byte> to) {
  return Copy(stream, from, to.data(), to, from);
}

absl::Status FakeCuda::RegisterHost(absl::Span<std::byte> memory) {
  absl::MutexLock lock(&mu_);
  if (absl::Status failure = Failure("cudaHostRegister"); !failure.ok()) {
    return failure;
  }
  if (++registrations_ > options_.allowed_registrations) {
    return CudaErrorStatus("cudaHostRegister", kCudaErrorNotSupported,
                           "cudaErrorNotSupported", "operation not supported");
  }
  if (memory.empty() || IsRegistered(memory) != Registered::kNot) {
    return InvalidValue("cudaHostRegister");
  }
  registered_[memory.data()] = static_cast<int64_t>(memory.size());
  return absl::OkStatus();
}

absl::Status FakeCuda::UnregisterHost(std::byte* begin) {
  absl::MutexLock lock(&mu_);
  if (registered_.erase(begin) == 0) return InvalidValue("cudaHostUnregister");
  return Failure("cudaHostUnregister");
}

absl::StatusOr<std::byte*> FakeCuda::AllocateHost(int64_t bytes) {
  constexpr char kCall[] = "cudaHostAlloc";
  absl::MutexLock lock(&mu_);
  if (absl::Status failure = Failure(kCall); !failure.ok()) return failure;
  if (!options_.gives_host_memory) {
    return CudaErrorStatus(kCall, kCudaErrorMemoryAllocation,
                           "cudaErrorMemoryAllocation", "out of memory");
  }
  const absl::StatusOr<std::byte*> begin = host_memory_.take(bytes);
  if (begin.ok()) registered_[*begin] = bytes;
  return begin;
}

absl::Status FakeCuda::FreeHost(std::byte* memory) {
  constexpr char kCall[] = "cudaFreeHost";
  absl::MutexLock lock(&mu_);
  const auto found = registered_.find(memory);
  if (found == registered_.end()) return InvalidValue(kCall);
  host_memory_.give_back(memory, found->second);
  registered_.erase(found);
  return Failure(kCall);
}

void FakeCuda::Launch(CudaStream stream, std::function<void()> kernel) {
  absl::MutexLock lock(&mu_);
  streams_.at(stream)->steps.push_back({std::move(kernel), {}});
}

void FakeCuda::Break(int error, const std::string& name) {
  absl::MutexLock lock(&mu_);
  broken_ = error;
  broken_name_ = name;
}

int FakeCuda::streams() const {
  absl::MutexLock lock(&mu_);
  return static_cast<int>(streams_.size()) - 1;
}

int FakeCuda::events() const {
  absl::MutexLock lock(&mu_);
  return static_cast<int>(events_.size());
}

int64_t FakeCuda::registered_bytes() const {
  absl::MutexLock lock(&mu_);
  int64_t sum = 0;
  for (const auto& [begin, bytes] : registered_) sum += bytes;
  return sum;
}

int FakeCuda::registrations() const {
  absl::MutexLock lock(&mu_);
  return registrations_;
}

int64_t FakeCuda::copies() const {
  absl::MutexLock lock(&mu_);
  return copies_;
}

int64_t FakeCuda::unpinned_copies() const {
  absl::MutexLock lock(&mu_);
  return unpinned_copies_;
}

}  // namespace hydra
