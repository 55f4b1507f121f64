#ifndef HYDRA_WORKER_EXEC_STEP_MODEL_H_
#define HYDRA_WORKER_EXEC_STEP_MODEL_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/chain/job_shape.h"
#include "common/chain/layer_range.h"

namespace hydra {

// What one layer costs, as a pilot measured it.
struct LayerCost {
  // For one micro-batch, without copies between host and device; its share of
  // the update counts as backward.
  absl::Duration forward;
  absl::Duration backward;
  // Device bytes that its forward leaves for its backward.
  int64_t saved_bytes = 0;
  // Most that it needs beside what StepModel::HeldBytes counts.
  int64_t own_bytes = 0;
};

// What a step of one job takes on one device by itself, however its model is
// cut: while one task computes, the blocks of the next one come and its own
// leave, as far as there is room; what comes too late is waited for. Bytes are
// those of design.md's "What a device does at once"; whether a shard's
// parameters are still there for its BACKWARD is known for the last but one
// alone. Pure.
class StepModel {
 public:
  struct Device {
    // Bytes a second.
    double to_device = 0;
    double to_host = 0;
    // Copies go beside computing, and do not wait for each other.
    bool copies_beside = false;
    // What tasks may use in all, and what the passes of one shard may need.
    int64_t memory_bytes = 0;
    int64_t most_needed_bytes = 0;
    // See StreamedBlock.
    int64_t table_room_bytes = 0;
  };

  // `shape` (its shards do not matter) must outlive this; `state_moves`: where
  // there is optimizer state, the device updates, so that it comes there and
  // leaves; `layers`: one for each layer of the model.
  StepModel(const JobShape& shape, const Device& device, bool state_moves,
            std::vector<LayerCost> layers);

  // Of a BACKWARD or TURN: parameters and gradients that are not streamed, and
  // what earlier layers have saved, while each of the shard's layers is run, in
  // order. Of `layers`, only what those save counts.
  static std::vector<int64_t> HeldBytes(const JobShape& shape,
                                        const LayerRange& shard,
                                        absl::Span<const LayerCost> layers,
                                        int64_t table_room_bytes);

  // Most that the passes of such a shard need of the device.
  int64_t NeededBytes(const LayerRange& shard) const;

  // Of shards that make up the model, in order.
  absl::Duration StepTime(const std::vector<LayerRange>& shards) const;

  // The shards of the shortest step, among those whose need is allowed; if
  // there are several, the fewest. Empty if there are none.
  std::vector<LayerRange> FastestShards() const;

 private:
  // One shard's passes.
  struct Costs {
    absl::Duration forward;
    absl::Duration backward;
    // What they promote and demote.
    int64_t parameter_bytes = 0;
    int64_t backward_in_bytes = 0;
    int64_t forward_out_bytes = 0;
    int64_t backward_out_bytes = 0;
    // Room for what comes while the backward computes, and the forward.
    int64_t backward_room_bytes = 0;
    int64_t forward_room_bytes = 0;
    // It has a BACKWARD or TURN: gradients come to it.
    bool goes_back = false;
    bool fits = false;
  };

  Costs CostsOf(const LayerRange& shard) const;
  const Costs& At(int first, int last) const {
    return costs_[first * (layer_count_ + 1) + last];
  }
  // Of a task, until the next one has all of `next_in_bytes`.
  absl::Duration TaskTime(absl::Duration compute, int64_t out_bytes,
                          int64_t next_in_bytes, int64_t room_bytes) const;
  // Of a shard's forward, which the next shard follows, and of that one's
  // backward, which this shard's follows.
  absl::Duration PairTime(const Costs& shard, const Costs& next,
                          bool next_is_last) const;
  // Of the first shard's backward, if it has one, which the next step follows.
  absl::Duration EndTime(const Costs& first) const;

  const JobShape& shape_;
  const Device device_;
  const bool state_moves_;
  const std::vector<LayerCost> layers_;
  const int layer_count_;
  // By first layer and one past the last one.
  std::vector<Costs> costs_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_STEP_MODEL_H_
