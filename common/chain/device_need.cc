#include "common/chain/device_need.h"

#include <algorithm>

#include "common/chain/chain_task.h"
#include "common/chain/streamed_block.h"
#include "common/model/quantized_rows.h"
#include "common/model/table_ranges.h"

namespace hydra {
namespace {

// Sequences of a micro-batch.
struct Batch {
  int64_t sequences = 0;
  int64_t context = 0;
};

class Estimate {
 public:
  Estimate(const JobShape& shape, const LayerRange& layers, int64_t room_bytes)
      : shape_(shape),
        table_(*shape.table),
        layers_(layers),
        streamed_(StreamedBlock(shape, layers, room_bytes)) {
    parameter_bytes_ = 2 * RangeBytes();
    for (int block : BlocksUsed(table_, layers_)) {
      if (!IsHeld(block)) continue;
      parameter_bytes_ += shape_.ParameterBytes(block);
      if (!table_.parameter_blocks[block].frozen) {
        gradient_bytes_ += shape_.GradientBytes(block);
      }
    }
  }

  DeviceNeed Run() const {
    DeviceNeed need;
    const Batch training{shape_.micro_batch_size, shape_.context_length};
    const Batch evaluation{shape_.eval_batch_size, shape_.context_length};
    need.evaluate = Forward(evaluation);
    const bool ends_chain = layers_.last == table_.layer_count();
    if (!ends_chain) need.forward = Forward(training);
    if (HandsGradientsDown(table_, layers_.last)) {
      need.backward = Backward(training);
    }
    return need;
  }

 private:
  int64_t Forward(const Batch& batch) const {
    return parameter_bytes_ + WorstForward(layers_, batch);
  }

  // Keeps nothing from one layer to the next.
  int64_t WorstForward(const LayerRange& layers, const Batch& batch) const {
    int64_t worst = 0;
    for (int layer = layers.first; layer < layers.last; ++layer) {
      worst = std::max(worst,
                       Before(layer, batch) + Behind(layer, batch) +
                           WorstOf(table_.layers[layer].memory.forward, batch));
    }
    return worst;
  }

  // All layers from the first one that is trained on were recorded, behind a
  // forward of those before; they are differentiated from the last one on.
  int64_t Backward(const Batch& batch) const {
    const int first = std::max(layers_.first, table_.FirstTrainedLayer());
    int64_t worst = WorstForward({layers_.first, first}, batch);
    int64_t kept = Before(first, batch) + GatheredRows(batch);
    for (int layer = first; layer < layers_.last; ++layer) {
      const LayerMemory& memory = table_.layers[layer].memory;
      const int64_t streams = StreamsIn(layer);
      worst = std::max(
          worst, kept + Behind(layer, batch) + GradientsIn(layer) +
                     (streams == 0 ? WorstOf(memory.backward, batch)
                                   : WorstOf(memory.forward, batch) +
                                         2 * Before(layer, batch) + streams));
      kept += BytesOf(memory.kept, batch.sequences, batch.context) +
              Behind(layer, batch);
    }
    return parameter_bytes_ + worst;
  }

  int64_t Before(int layer, const Batch& batch) const {
    return table_.BoundaryBytes(layer, batch.sequences, batch.context);
  }
  // Of the last layer: nothing.
  int64_t Behind(int layer, const Batch& batch) const {
    return layer + 1 < table_.layer_count() ? Before(layer + 1, batch) : 0;
  }

  int64_t WorstOf(const std::vector<std::vector<BoundaryTensor>>& moments,
                  const Batch& batch) const {
    int64_t worst = 0;
    for (const std::vector<BoundaryTensor>& moment : moments) {
      worst = std::max(worst, BytesOf(moment, batch.sequences, batch.context));
    }
    return worst;
  }

  bool IsHeld(int block) const {
    return block != streamed_ &&
           !StaysOnHost(table_.parameter_blocks[block], layers_);
  }

  // Sums over several micro-batches, or rounds, are all there at once; else a
  // layer's gradients go when it is done.
  int64_t GradientsIn(int layer) const {
    if (shape_.micro_batches > 1) return gradient_bytes_;
    int64_t bytes = 0;
    for (int block : table_.layers[layer].parameter_blocks) {
      if (IsHeld(block) && !table_.parameter_blocks[block].frozen) {
        bytes += shape_.GradientBytes(block);
      }
    }
    return bytes;
  }

  // Gradients of gathered rows, and the rows' numbers, stay until the last
  // micro-batch.
  int64_t GatheredRows(const Batch& batch) const {
    int64_t bytes = 0;
    for (int block : BlocksUsed(table_, layers_)) {
      const ParameterBlock& gathered = table_.parameter_blocks[block];
      if (!gathered.rows_are_gathered || gathered.frozen ||
          !layers_.Contains(gathered.owner())) {
        continue;
      }
      const int64_t width = gathered.tensors.front().shape[1];
      bytes += shape_.LargestRound() * batch.sequences * batch.context *
               (width * kFloatBytes + static_cast<int64_t>(sizeof(int64_t)));
    }
    return bytes;
  }

  // Of a range of the streamed table's rows.
  int64_t RangeElements() const {
    if (streamed_ == kNoBlock) return 0;
    const std::vector<int64_t>& sizes =
        table_.parameter_blocks[streamed_].tensors.front().shape;
    return TableRanges(sizes[0]).front().count() * sizes[1];
  }

  // The same, as the table lies.
  int64_t RangeBytes() const {
    if (streamed_ == kNoBlock) return 0;
    const ParameterBlock& block = table_.parameter_blocks[streamed_];
    const std::vector<int64_t>& sizes = block.tensors.front().shape;
    return TableRanges(sizes[0]).front().count() *
           StoredRowBytes(block.type, sizes[1]);
  }

  // What a layer with the streamed table has of its gradient; 0: it has none.
  int64_t StreamsIn(int layer) const {
    const std::vector<int>& blocks = table_.layers[layer].parameter_blocks;
    if (std::find(blocks.begin(), blocks.end(), streamed_) == blocks.end()) {
      return 0;
    }
    if (table_.parameter_blocks[streamed_].frozen) return kTensorAlignmentBytes;
    return (shape_.micro_batches > 1 ? 3 : 2) * RangeElements() * kFloatBytes;
  }

  const JobShape& shape_;
  const ModelTable& table_;
  const LayerRange layers_;
  const int streamed_;
  // Of blocks that are held whole, and of the ranges of one that is not.
  int64_t parameter_bytes_ = 0;
  int64_t gradient_bytes_ = 0;
};

}  // namespace

int64_t LimitFor(int64_t room_bytes) {
  constexpr int64_t kUsed = kScatterShare - 1;
  // Or one more.
  int64_t limit = room_bytes / kUsed * kScatterShare +
                  room_bytes % kUsed * kScatterShare / kUsed;
  while (RoomOn(limit) < room_bytes) ++limit;
  while (RoomOn(limit - 1) >= room_bytes) --limit;
  return limit;
}

int64_t DeviceNeed::most() const {
  return std::max({forward, backward, evaluate});
}

DeviceNeed DeviceNeedOf(const JobShape& shape, const LayerRange& layers,
                        int64_t room_bytes) {
  return Estimate(shape, layers, room_bytes).Run();
}

std::optional<std::vector<LayerRange>> LongestShards(const JobShape& shape,
                                                     int64_t room_bytes) {
  std::vector<LayerRange> shards;
  const int count = shape.table->layer_count();
  for (int first = 0; first < count;) {
    int last = first;
    while (last < count &&
           DeviceNeedOf(shape, {first, last + 1}, room_bytes).most() <=
               room_bytes) {
      ++last;
    }
    if (last == first) return std::nullopt;
    shards.push_back({first, last});
    first = last;
  }
  return shards;
}

int64_t LeastRoom(const JobShape& shape) {
  int64_t least = 0;
  for (int layer = 0; layer < shape.table->layer_count(); ++layer) {
    // Without room for it, a table comes in ranges.
    const LayerRange alone{layer, layer + 1};
    least =
        std::max(least, DeviceNeedOf(shape, alone, /*room_bytes=*/0).most());
  }
  return least;
}

}  // namespace hydra
