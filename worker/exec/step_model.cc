#include "worker/exec/step_model.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "common/chain/chain_task.h"
#include "common/chain/streamed_block.h"
#include "common/model/model_table.h"

namespace hydra {
namespace {

// What a task takes beside computing and copying; keeps steps from being cut
// into crumbs.
constexpr absl::Duration kTaskOverhead = absl::Milliseconds(1);

absl::Duration CopyTime(int64_t bytes, double rate) {
  return absl::Seconds(static_cast<double>(bytes) / rate);
}

}  // namespace

StepModel::StepModel(const JobShape& shape, const Device& device,
                     bool state_moves, std::vector<LayerCost> layers)
    : shape_(shape),
      device_(device),
      state_moves_(state_moves),
      layers_(std::move(layers)),
      layer_count_(shape.table->layer_count()) {
  costs_.resize((layer_count_ + 1) * (layer_count_ + 1));
  for (int first = 0; first < layer_count_; ++first) {
    for (int last = first + 1; last <= layer_count_; ++last) {
      costs_[first * (layer_count_ + 1) + last] = CostsOf({first, last});
    }
  }
}

std::vector<int64_t> StepModel::HeldBytes(const JobShape& shape,
                                          const LayerRange& shard,
                                          absl::Span<const LayerCost> layers,
                                          int64_t table_room_bytes) {
  const int streamed = StreamedBlock(shape, shard, table_room_bytes);
  // With one micro-batch each layer is updated behind its backward, and goes;
  // with several, all gradients are there until the last one.
  const bool one = shape.micro_batches == 1;
  absl::flat_hash_set<int> held;
  int64_t block_bytes = 0;
  const auto hold = [&](int layer) {
    for (int block : shape.table->layers[layer].parameter_blocks) {
      if (block == streamed ||
          StaysOnHost(shape.table->parameter_blocks[block], shard) ||
          !held.insert(block).second) {
        continue;
      }
      block_bytes += shape.ParameterBytes(block);
      if (!one && !shape.table->parameter_blocks[block].frozen) {
        block_bytes += shape.GradientBytes(block);
      }
    }
  };
  if (!one) {
    for (int layer = shard.first; layer < shard.last; ++layer) hold(layer);
  }
  std::vector<int64_t> bytes;
  int64_t saved_bytes = 0;
  for (int layer = shard.first; layer < shard.last; ++layer) {
    hold(layer);
    bytes.push_back(block_bytes + saved_bytes);
    saved_bytes += layers[layer].saved_bytes;
  }
  return bytes;
}

int64_t StepModel::NeededBytes(const LayerRange& shard) const {
  const std::vector<int64_t> held =
      HeldBytes(shape_, shard, layers_, device_.table_room_bytes);
  int64_t most = 0;
  for (int layer = shard.first; layer < shard.last; ++layer) {
    most = std::max(most, held[layer - shard.first] + layers_[layer].own_bytes);
  }
  return most;
}

StepModel::Costs StepModel::CostsOf(const LayerRange& shard) const {
  Costs costs;
  int64_t gradient_bytes = 0;
  int64_t state_bytes = 0;
  // While the last layer computes.
  int64_t streamed_bytes = 0;
  const ModelTable& table = *shape_.table;
  const int streamed = StreamedBlock(shape_, shard, device_.table_room_bytes);
  for (int block : BlocksUsed(table, shard)) {
    const ParameterBlock& described = table.parameter_blocks[block];
    if (StaysOnHost(described, shard)) continue;
    const bool moves_state =
        state_moves_ && !described.frozen && shard.Contains(described.owner());
    // Of an update on the device: the new parameters.
    if (!described.frozen) {
      gradient_bytes +=
          moves_state ? described.size_bytes : described.gradient_bytes();
    }
    if (block == streamed) {
      // For the loss, and for the gradient, which is added to.
      streamed_bytes = 2 * shape_.micro_batches * described.size_bytes;
      if (!described.frozen) {
        streamed_bytes +=
            (shape_.micro_batches - 1) * described.gradient_bytes();
      }
    } else {
      costs.parameter_bytes += described.size_bytes;
    }
    if (moves_state) state_bytes += shape_.StateBytes(block);
  }
  const auto boundary_bytes = [&](int layer) {
    return layer == 0 || layer == layer_count_
               ? 0
               : shape_.micro_batches * shape_.TrainBoundaryBytes(layer);
  };
  costs.goes_back =
      shard.last == layer_count_ || HandsGradientsDown(table, shard.last);
  costs.forward_out_bytes = boundary_bytes(shard.last);
  if (costs.goes_back) {
    costs.backward_in_bytes = boundary_bytes(shard.first) + state_bytes;
    costs.backward_out_bytes = gradient_bytes + state_bytes;
  }
  if (HandsGradientsDown(table, shard.first)) {
    costs.backward_out_bytes += boundary_bytes(shard.first);
  }

  int64_t most_own = 0;
  for (int layer = shard.first; layer < shard.last; ++layer) {
    const LayerCost& cost = layers_[layer];
    costs.forward += shape_.micro_batches * cost.forward;
    if (costs.goes_back) {
      costs.backward += shape_.micro_batches * (cost.forward + cost.backward);
    }
    most_own = std::max(most_own, cost.own_bytes);
  }
  const absl::Duration streaming = CopyTime(streamed_bytes, device_.to_device);
  costs.backward = device_.copies_beside ? std::max(costs.backward, streaming)
                                         : costs.backward + streaming;
  const int64_t needed = NeededBytes(shard);
  costs.fits = needed <= device_.most_needed_bytes;
  // The other half is for what leaves, see TaskRunner.
  const auto room = [&](int64_t bytes) {
    return std::max<int64_t>(0, device_.memory_bytes - bytes) / 2;
  };
  costs.backward_room_bytes = room(needed);
  costs.forward_room_bytes = room(costs.parameter_bytes + most_own);
  return costs;
}

absl::Duration StepModel::TaskTime(absl::Duration compute, int64_t out_bytes,
                                   int64_t next_in_bytes,
                                   int64_t room_bytes) const {
  const absl::Duration out = CopyTime(out_bytes, device_.to_host);
  if (!device_.copies_beside) {
    return kTaskOverhead + compute + out +
           CopyTime(next_in_bytes, device_.to_device);
  }
  const int64_t ahead = std::min(next_in_bytes, room_bytes);
  return kTaskOverhead +
         std::max({compute, out, CopyTime(ahead, device_.to_device)}) +
         CopyTime(next_in_bytes - ahead, device_.to_device);
}

absl::Duration StepModel::PairTime(const Costs& shard, const Costs& next,
                                   bool next_is_last) const {
  // What the last shard leaves room for stays over its one task.
  const int64_t kept =
      next_is_last ? std::min(shard.parameter_bytes, next.backward_room_bytes)
                   : 0;
  // A last shard runs once; its moments come with its updates.
  const int64_t next_in =
      next.parameter_bytes + (next_is_last ? next.backward_in_bytes : 0);
  const absl::Duration forward =
      TaskTime(shard.forward, shard.forward_out_bytes, next_in,
               shard.forward_room_bytes);
  if (!next.goes_back) return forward;
  const int64_t back_in =
      shard.goes_back ? shard.parameter_bytes - kept + shard.backward_in_bytes
                      : 0;
  return forward + TaskTime(next.backward, next.backward_out_bytes, back_in,
                            next.backward_room_bytes);
}

absl::Duration StepModel::EndTime(const Costs& first) const {
  // Beside which task it comes then, is not known here.
  if (!first.goes_back) {
    return CopyTime(first.parameter_bytes, device_.to_device);
  }
  return TaskTime(first.backward, first.backward_out_bytes,
                  first.parameter_bytes, first.backward_room_bytes);
}

absl::Duration StepModel::StepTime(
    const std::vector<LayerRange>& shards) const {
  const auto costs_of = [this](const LayerRange& shard) -> const Costs& {
    return At(shard.first, shard.last);
  };
  absl::Duration time = EndTime(costs_of(shards.front()));
  for (size_t i = 0; i + 1 < shards.size(); ++i) {
    time += PairTime(costs_of(shards[i]), costs_of(shards[i + 1]),
                     /*next_is_last=*/i + 2 == shards.size());
  }
  return time;
}

std::vector<LayerRange> StepModel::FastestShards() const {
  // Of all ways to cut the layers before `last` whose last shard begins at
  // `first`: the shortest time, all but that shard's own backward's; and where
  // the shard before that begins.
  struct Best {
    absl::Duration time = absl::InfiniteDuration();
    int shards = std::numeric_limits<int>::max();
    int before = -1;
  };
  std::vector<std::vector<Best>> best(layer_count_ + 1,
                                      std::vector<Best>(layer_count_ + 1));
  for (int last = 1; last <= layer_count_; ++last) {
    for (int first = 0; first < last; ++first) {
      const Costs& shard = At(first, last);
      if (!shard.fits) continue;
      Best& here = best[first][last];
      if (first == 0) {
        here = {EndTime(shard), 1, -1};
        continue;
      }
      for (int before = 0; before < first; ++before) {
        const Best& so_far = best[before][first];
        if (so_far.time == absl::InfiniteDuration()) continue;
        const absl::Duration time =
            so_far.time +
            PairTime(At(before, first), shard, last == layer_count_);
        const int shards = so_far.shards + 1;
        if (std::pair(time, shards) < std::pair(here.time, here.shards)) {
          here = {time, shards, before};
        }
      }
    }
  }
  int first = -1;
  Best fastest;
  for (int candidate = 0; candidate < layer_count_; ++candidate) {
    const Best& whole = best[candidate][layer_count_];
    if (std::pair(whole.time, whole.shards) <
        std::pair(fastest.time, fastest.shards)) {
      fastest = whole;
      first = candidate;
    }
  }
  std::vector<LayerRange> shards;
  int last = layer_count_;
  while (first >= 0) {
    shards.insert(shards.begin(), {first, last});
    last = std::exchange(first, best[first][last].before);
  }
  return shards;
}

}  // namespace hydra
