#include "worker/device/cuda/cuda_device.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "c10/util/Exception.h"
#include "common/clock/steady_time.h"
#include "worker/device/check_copy.h"
#include "worker/device/copy_order.h"
#include "worker/device/process_memory.h"

namespace hydra {
namespace {

// The demotes first: they make room for good.
constexpr CopyLane kLanes[] = {CopyLane::kDemote, CopyLane::kPromote};

absl::StatusOr<std::byte*> Malloc(CudaCalls* calls, const std::string& name,
                                  int64_t bytes) {
  const absl::StatusOr<std::byte*> memory = calls->Malloc(bytes);
  if (!absl::IsResourceExhausted(memory.status())) return memory;
  const absl::StatusOr<CudaCalls::Memory> there = calls->DeviceMemory();
  if (!there.ok()) return there.status();
  return absl::ResourceExhaustedError(absl::StrCat(
      memory.status().message(), ": ", name, " has ", there->free_bytes, " of ",
      there->total_bytes, " bytes free, and its memory_limit_bytes is ", bytes,
      "; lower it, or end what else uses the GPU"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CudaDevice>> CudaDevice::Create(
    CudaCalls* calls, const Options& options, const UseArena& use_arena) {
  if (absl::Status selected = calls->SelectDevice(0); !selected.ok()) {
    return selected;
  }
  const DeviceArena::Source source = {
      options.alignment_bytes,
      [calls, name = options.name](int64_t bytes) {
        return Malloc(calls, name, bytes);
      },
      [calls](std::byte* begin, int64_t) { calls->Free(begin).IgnoreError(); }};
  auto arena = DeviceArena::Create(options.limit_bytes, source);
  if (!arena.ok()) return arena.status();
  const absl::StatusOr<CudaEvent> computed = calls->CreateEvent();
  if (!computed.ok()) return computed.status();
  Lanes lanes;
  for (std::unique_ptr<CudaLane>& lane : lanes) {
    auto created = CudaLane::Create(calls, options.most_copies);
    if (!created.ok()) return created.status();
    lane = *std::move(created);
  }
  return std::unique_ptr<CudaDevice>(
      new CudaDevice(calls, options, use_arena(*std::move(arena)),
                     std::move(lanes), *computed));
}

CudaDevice::CudaDevice(CudaCalls* calls, const Options& options,
                       DeviceArena* arena, Lanes lanes, CudaEvent computed)
    : calls_(calls),
      name_(options.name),
      torch_device_(options.torch_device),
      arena_(arena),
      begin_(SteadyNow()),
      computed_(computed),
      stalls_(std::make_unique<CudaStalls>(calls, options.most_copies)),
      pins_(calls, options.host_memory, options.slab_bytes),
      host_buffers_(
          HostBuffers::MostBytes(options.limit_bytes),
          {[calls](int64_t bytes) { return calls->AllocateHost(bytes); },
           [calls](std::byte* begin) {
             // A device that failed gives nothing back; its process
             // ends.
             calls->FreeHost(begin).IgnoreError();
           }}),
      lanes_(std::move(lanes)) {
  arena_->SetAwaitFree([this] { return AwaitOldest(); });
}

CudaDevice::~CudaDevice() {
  arena_->SetAwaitFree({});
  calls_->SynchronizeDevice().IgnoreError();
  calls_->DestroyEvent(computed_).IgnoreError();
}

Mark CudaDevice::CopyToDevice(absl::Span<const std::byte> from,
                              const at::Tensor& to) {
  CheckTensor(to, from.size());
  auto* const begin = static_cast<std::byte*>(to.mutable_data_ptr());
  return Issue(CopyLane::kPromote, to, from,
               [this, begin](CudaStream stream,
                             absl::Span<const std::byte> part, size_t offset) {
                 return calls_->CopyToDevice(stream, part, begin + offset);
               });
}

Mark CudaDevice::CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) {
  CheckTensor(from, to.size());
  const auto* const begin =
      static_cast<const std::byte*>(from.const_data_ptr());
  return Issue(
      CopyLane::kDemote, from, to,
      [this, begin, to](CudaStream stream, absl::Span<const std::byte> part,
                        size_t offset) {
        return calls_->CopyToHost(stream, begin + offset,
                                  to.subspan(offset, part.size()));
      });
}

void CudaDevice::CheckTensor(const at::Tensor& tensor, size_t bytes) const {
  CheckCopy(tensor, bytes);
  TORCH_INTERNAL_ASSERT(bytes == 0 || arena_->Contains(tensor.const_data_ptr()),
                        "a copy to or from a tensor that does not lie on ",
                        name_);
}

Mark CudaDevice::Issue(CopyLane which, const at::Tensor& tensor,
                       absl::Span<const std::byte> host, const CopyPart& copy) {
  AwaitRoom(which);
  CudaStream stream;
  CudaEvent done;
  Mark after{Other(which), 0};
  {
    absl::MutexLock lock(&mu_);
    Learn();
    CudaLane& mine = lane(which);
    stream = mine.stream();
    done = mine.EventOf(mine.issued() + 1);
    after.number = lane(after.lane).NewestUseOf(host);
  }
  // With no lock held: a copy whose memory is not pinned may take its time.
  Check(Enqueue(stream, EventOf(after), host, copy, done));
  absl::MutexLock lock(&mu_);
  lane(which).Add(tensor, host);
  return {which, lane(which).issued()};
}

absl::Status CudaDevice::Enqueue(CudaStream stream, CudaEvent after,
                                 absl::Span<const std::byte> host,
                                 const CopyPart& copy, CudaEvent done) {
  absl::Status status = calls_->RecordEvent(computed_, kComputeStream);
  if (status.ok()) status = calls_->MakeStreamWait(stream, computed_);
  if (status.ok() && after != nullptr) {
    status = calls_->MakeStreamWait(stream, after);
  }
  for (absl::Span<const std::byte> part : pins_.Use(host)) {
    if (!status.ok()) break;
    status = copy(stream, part, part.data() - host.data());
  }
  if (status.ok()) status = calls_->RecordEvent(done, stream);
  return status;
}

bool CudaDevice::Learn() const {
  bool learned = false;
  for (CopyLane which : kLanes) {
    CudaLane& its = lane(which);
    while (failure_.ok() && its.done() < its.issued()) {
      const absl::StatusOr<bool> done =
          calls_->IsDone(its.EventOf(its.done() + 1));
      if (!done.ok()) failure_ = done.status();
      if (!done.ok() || !*done) break;
      its.SetDone(its.done() + 1);
      learned = true;
    }
  }
  return learned;
}

void CudaDevice::AwaitRoom(CopyLane which) {
  Mark oldest{which, 0};
  {
    absl::MutexLock lock(&mu_);
    if (lane(which).full()) oldest.number = lane(which).done() + 1;
  }
  Await(oldest);
}

bool CudaDevice::AwaitOldest() {
  for (CopyLane which : kLanes) {
    Mark oldest{which, 0};
    {
      absl::MutexLock lock(&mu_);
      if (Learn()) return true;
      if (!failure_.ok()) return false;
      if (lane(which).issued() == lane(which).done()) continue;
      oldest.number = lane(which).done() + 1;
    }
    Await(oldest);
    return true;
  }
  return false;
}

CudaEvent CudaDevice::EventOf(const Mark& mark) const {
  absl::MutexLock lock(&mu_);
  CudaLane& its = lane(mark.lane);
  return mark.number <= its.done() ? nullptr : its.EventOf(mark.number);
}

void CudaDevice::WaitFor(const Mark& mark) {
  Check(absl::OkStatus());
  const CudaEvent event = EventOf(mark);
  if (event != nullptr) Check(stalls_->Wait(event));
}

void CudaDevice::Await(const Mark& mark) {
  Check(absl::OkStatus());
  const CudaEvent event = EventOf(mark);
  if (event == nullptr) return;
  // Meanwhile another thread may learn that it is done, and the event be
  // recorded behind a later copy of the lane: then this waits for that one.
  Check(calls_->SynchronizeEvent(event));
  absl::MutexLock lock(&mu_);
  lane(mark.lane).SetDone(mark.number);
  Learn();
}

bool CudaDevice::IsDone(const Mark& mark) const {
  absl::MutexLock lock(&mu_);
  Learn();
  return mark.number <= lane(mark.lane).done();
}

void CudaDevice::Synchronize() {
  uint64_t issued[2];
  {
    absl::MutexLock lock(&mu_);
    for (CopyLane which : kLanes) {
      issued[static_cast<int>(which)] = lane(which).issued();
    }
  }
  Check(calls_->SynchronizeDevice());
  absl::MutexLock lock(&mu_);
  for (CopyLane which : kLanes) {
    lane(which).SetDone(issued[static_cast<int>(which)]);
  }
}

int64_t CudaDevice::OutsideBytes() const { return PrivateMemoryBytes(); }

absl::Duration CudaDevice::ComputeTime() const {
  // Whoever works with the device next learns of a failure.
  calls_->SynchronizeStream(kComputeStream).IgnoreError();
  return SteadyNow() - begin_ - StallTime();
}

void CudaDevice::Check(const absl::Status& status) {
  {
    absl::MutexLock lock(&mu_);
    failure_.Update(status);
    if (failure_.ok()) return;
  }
  // Of a call that was refused, a part may be under way.
  calls_->SynchronizeDevice().IgnoreError();
  absl::MutexLock lock(&mu_);
  for (CopyLane which : kLanes) lane(which).DropTensors();
  TORCH_CHECK(false, name_, " has failed: ", failure_.message());
}

}  // namespace hydra
