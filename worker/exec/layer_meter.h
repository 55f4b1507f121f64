#ifndef HYDRA_WORKER_EXEC_LAYER_METER_H_
#define HYDRA_WORKER_EXEC_LAYER_METER_H_

#include <cstdint>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "worker/device/device.h"

namespace hydra {

// Knows which layer a pass is at, and what each layer took. Not thread-safe.
//
// Times include only work that is done when the layer ends: on a device that
// works by itself, ask for `synchronize`, which a pilot can afford.
class LayerMeter {
 public:
  enum class Phase { kForward, kBackward };

  struct Measure {
    // Left in use by the newest forward.
    int64_t saved_bytes = 0;
    // Most in use at once while the layer ran.
    int64_t peak_bytes = 0;
    // Sums over micro-batches; an update counts as backward.
    absl::Duration forward;
    absl::Duration backward;
  };

  LayerMeter(Device* device, bool synchronize);

  // For the rest of the task. -1 at first.
  void SetMicroBatch(int micro_batch) { micro_batch_ = micro_batch; }
  void Begin(int layer, Phase phase);
  // What is in use now does not count as saved by this layer.
  void ParametersPlaced();
  void End();

  // Where the pass is; after an exception, where it happened. -1: nowhere yet.
  int layer() const { return layer_; }
  Phase phase() const { return phase_; }
  int micro_batch() const { return micro_batch_; }

  const absl::btree_map<int, Measure>& measures() const { return measures_; }

  // Most device bytes in use at once since construction.
  int64_t PeakBytes() const;

 private:
  Device* const device_;
  const bool synchronize_;

  int layer_ = -1;
  Phase phase_ = Phase::kForward;
  int micro_batch_ = -1;
  absl::Time begin_;
  int64_t used_at_begin_ = 0;

  absl::btree_map<int, Measure> measures_;
  int64_t peak_bytes_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_LAYER_METER_H_
