#include "worker/exec/layer_meter.h"

#include <algorithm>

#include "common/clock/steady_time.h"

namespace hydra {

LayerMeter::LayerMeter(Device* device, bool synchronize)
    : device_(device), synchronize_(synchronize) {
  device_->arena().ResetPeak();
}

void LayerMeter::Begin(int layer, Phase phase) {
  DeviceArena& arena = device_->arena();
  peak_bytes_ = std::max(peak_bytes_, arena.peak_bytes());
  arena.ResetPeak();
  layer_ = layer;
  phase_ = phase;
  used_at_begin_ = arena.used_bytes();
  begin_ = SteadyNow();
}

void LayerMeter::ParametersPlaced() {
  used_at_begin_ = device_->arena().used_bytes();
}

void LayerMeter::End() {
  if (synchronize_) device_->Synchronize();
  const absl::Duration took = SteadyNow() - begin_;
  DeviceArena& arena = device_->arena();
  Measure& measure = measures_[layer_];
  measure.peak_bytes = std::max(measure.peak_bytes, arena.peak_bytes());
  if (phase_ == Phase::kBackward) {
    measure.backward += took;
    return;
  }
  measure.forward += took;
  measure.saved_bytes =
      std::max<int64_t>(0, arena.used_bytes() - used_at_begin_);
}

int64_t LayerMeter::PeakBytes() const {
  return std::max(peak_bytes_, device_->arena().peak_bytes());
}

}  // namespace hydra
