#ifndef HYDRA_WORKER_EXEC_LAYER_METER_H_
#define HYDRA_WORKER_EXEC_LAYER_METER_H_

#include <cstdint>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "worker/device/device.h"
#include "worker/exec/block_io.h"
#include "worker/task/task_control.h"

namespace hydra {

// Knows which layer a pass is at, and what each layer took; where the pass got
// on, its task may be stopped. Not thread-safe.
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
    // Sums over micro-batches, without copies between host and device.
    absl::Duration forward;
    absl::Duration backward;
    absl::Duration update;
  };

  // `io` moves the pass's blocks; `control` is the task's. Both must outlive
  // this.
  LayerMeter(Device* device, BlockIo* io, TaskControl* control,
             bool synchronize);

  // For the rest of the task. -1 at first.
  void SetMicroBatch(int micro_batch) { micro_batch_ = micro_batch; }
  // Throws TaskStopped if the task is to end here.
  void Begin(int layer, Phase phase);
  // The rest of what began is an update. Only in kBackward.
  void BeginUpdate();
  // A part of an update is done. Throws as Begin.
  void Advance() { control_->AdvanceOrThrow(); }
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
  // Most that the layers could not do without, as far as is known: what was
  // spare when one ended counts as spare in all of it, and so does what has
  // left the device meanwhile.
  int64_t needed_bytes() const { return needed_bytes_; }

 private:
  // Since the last call, without copies.
  absl::Duration Lap();

  Device* const device_;
  BlockIo* const io_;
  TaskControl* const control_;
  const bool synchronize_;

  int layer_ = -1;
  Phase phase_ = Phase::kForward;
  int micro_batch_ = -1;
  bool updating_ = false;
  absl::Time begin_;
  absl::Duration copied_at_begin_;
  int64_t used_at_begin_ = 0;
  int64_t departing_at_begin_ = 0;

  absl::btree_map<int, Measure> measures_;
  int64_t peak_bytes_ = 0;
  int64_t needed_bytes_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_LAYER_METER_H_
