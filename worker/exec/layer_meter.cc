#include "worker/exec/layer_meter.h"

#include <algorithm>

#include "common/clock/steady_time.h"

namespace hydra {

LayerMeter::LayerMeter(Device* device, BlockIo* io, TaskControl* control,
                       bool synchronize)
    : device_(device), io_(io), control_(control), synchronize_(synchronize) {
  device_->arena().ResetPeak();
}

void LayerMeter::Begin(int layer, Phase phase) {
  control_->AdvanceOrThrow();
  DeviceArena& arena = device_->arena();
  peak_bytes_ = std::max(peak_bytes_, arena.peak_bytes());
  arena.ResetPeak();
  layer_ = layer;
  phase_ = phase;
  updating_ = false;
  used_at_begin_ = arena.used_bytes();
  departing_at_begin_ = io_->DepartingBytes();
  Lap();
}

void LayerMeter::BeginUpdate() {
  measures_[layer_].backward += Lap();
  updating_ = true;
}

void LayerMeter::ParametersPlaced() {
  used_at_begin_ = device_->arena().used_bytes();
}

void LayerMeter::End() {
  const absl::Duration took = Lap();
  DeviceArena& arena = device_->arena();
  Measure& measure = measures_[layer_];
  measure.peak_bytes = std::max(measure.peak_bytes, arena.peak_bytes());
  const int64_t gone_bytes =
      std::max<int64_t>(0, departing_at_begin_ - io_->DepartingBytes());
  needed_bytes_ = std::max(needed_bytes_,
                           arena.peak_bytes() - io_->SpareBytes() - gone_bytes);
  if (phase_ == Phase::kBackward) {
    (updating_ ? measure.update : measure.backward) += took;
    return;
  }
  measure.forward += took;
  measure.saved_bytes =
      std::max<int64_t>(0, arena.used_bytes() - used_at_begin_);
}

absl::Duration LayerMeter::Lap() {
  if (synchronize_) io_->Synchronize();
  const absl::Time now = SteadyNow();
  const absl::Duration copied = io_->copy_time();
  const absl::Duration took = (now - begin_) - (copied - copied_at_begin_);
  begin_ = now;
  copied_at_begin_ = copied;
  return took;
}

int64_t LayerMeter::PeakBytes() const {
  return std::max(peak_bytes_, device_->arena().peak_bytes());
}

}  // namespace hydra
