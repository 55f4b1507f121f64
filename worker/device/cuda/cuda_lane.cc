#include "worker/device/cuda/cuda_lane.h"

#include <utility>

#include "worker/device/copy_order.h"

namespace hydra {

absl::StatusOr<std::unique_ptr<CudaLane>> CudaLane::Create(CudaCalls* calls,
                                                           int most_copies) {
  const absl::StatusOr<CudaStream> stream = calls->CreateStream();
  if (!stream.ok()) return stream.status();
  std::unique_ptr<CudaLane> lane(new CudaLane(calls, *stream));
  for (int i = 0; i < most_copies; ++i) {
    const absl::StatusOr<CudaEvent> event = calls->CreateEvent();
    if (!event.ok()) return event.status();
    lane->events_.push_back(*event);
  }
  return lane;
}

CudaLane::~CudaLane() {
  // A device that failed gives nothing back; its process ends.
  for (CudaEvent event : events_) calls_->DestroyEvent(event).IgnoreError();
  calls_->DestroyStream(stream_).IgnoreError();
}

void CudaLane::Add(at::Tensor tensor, absl::Span<const std::byte> host) {
  copies_.push_back({std::move(tensor), host});
}

void CudaLane::SetDone(uint64_t number) {
  while (done_ < number && !copies_.empty()) {
    copies_.pop_front();
    ++done_;
  }
}

void CudaLane::DropTensors() {
  for (Copy& copy : copies_) copy.tensor.reset();
}

uint64_t CudaLane::NewestUseOf(absl::Span<const std::byte> host) const {
  return NewestUse(copies_, done_, host,
                   [](const Copy& copy) { return copy.host; });
}

}  // namespace hydra
