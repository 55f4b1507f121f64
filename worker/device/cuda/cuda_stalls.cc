#include "worker/device/cuda/cuda_stalls.h"

#include "absl/status/statusor.h"

namespace hydra {

CudaStalls::~CudaStalls() {
  // A device that failed gives nothing back; its process ends.
  unused_.insert(unused_.end(), stalls_.begin(), stalls_.end());
  for (const Stall& stall : unused_) {
    calls_->DestroyEvent(stall.begin).IgnoreError();
    calls_->DestroyEvent(stall.end).IgnoreError();
  }
}

absl::Status CudaStalls::Wait(CudaEvent event) {
  if (unused_.empty()) Learn();
  if (unused_.empty() && stalls_.size() < most_) {
    const absl::StatusOr<CudaEvent> begin = calls_->CreateTimedEvent();
    if (!begin.ok()) return begin.status();
    const absl::StatusOr<CudaEvent> end = calls_->CreateTimedEvent();
    if (!end.ok()) {
      calls_->DestroyEvent(*begin).IgnoreError();
      return end.status();
    }
    unused_.push_back({*begin, *end});
  }
  if (unused_.empty()) return calls_->MakeStreamWait(kComputeStream, event);
  stalls_.push_back(unused_.back());
  unused_.pop_back();
  return Measure(event, stalls_.back());
}

absl::Status CudaStalls::Measure(CudaEvent event, const Stall& stall) {
  absl::Status status = calls_->RecordEvent(stall.begin, kComputeStream);
  if (status.ok()) status = calls_->MakeStreamWait(kComputeStream, event);
  if (status.ok()) status = calls_->RecordEvent(stall.end, kComputeStream);
  return status;
}

absl::Duration CudaStalls::Total() {
  Learn();
  return total_;
}

void CudaStalls::Learn() {
  while (!stalls_.empty()) {
    const Stall& oldest = stalls_.front();
    const absl::StatusOr<bool> over = calls_->IsDone(oldest.end);
    if (!over.ok() || !*over) return;
    const absl::StatusOr<absl::Duration> took =
        calls_->TimeBetween(oldest.begin, oldest.end);
    if (!took.ok()) return;
    total_ += *took;
    unused_.push_back(oldest);
    stalls_.pop_front();
  }
}

}  // namespace hydra
