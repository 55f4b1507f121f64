#include "common/chain/streamed_block.h"

#include <algorithm>
#include <vector>

#include "common/model/model_table.h"
#include "common/model/product_type.h"
#include "common/model/quantized_rows.h"
#include "common/model/table_ranges.h"

namespace hydra {
namespace {

// Of the room, one part in so many is not counted on: the layer's other
// parameters, and memory that lies in pieces. Where more is lacking, tasks and
// pilots find out.
constexpr int64_t kSpareShare = 64;
// One range is computed with and one is on its way, of gradients in both
// directions if those of earlier micro-batches are added to.
constexpr int64_t kRangesOfRows = 2;
int64_t RangesOfGradients(const ParameterBlock& block, int micro_batches) {
  if (block.frozen) return 0;
  return micro_batches > 1 ? 3 : 2;
}

bool IsUsedByAnother(const ParameterBlock& block, int layer,
                     const LayerRange& layers) {
  return std::any_of(block.layers.begin(), block.layers.end(), [&](int user) {
    return user > layer || (user < layer && layers.Contains(user));
  });
}

int64_t LogitsBytes(const JobShape& shape, int64_t rows) {
  const int64_t tokens = shape.micro_batch_size * shape.context_length;
  return std::min(tokens, kLossSliceTokens) * rows * kFloatBytes;
}

// Of the table held whole: it is rounded once for all of its slices.
int64_t RoundedBytes(const LayerEntry& layer, const ParameterBlock& table) {
  const ElementType type = ProductTypeOf(layer);
  const bool is_rounded = type != ElementType::kFloat32 && table.type != type;
  return is_rounded ? table.element_count() * ElementBytes(type) : 0;
}

}  // namespace

int StreamedBlock(const JobShape& shape, const LayerRange& layers,
                  int64_t room_bytes) {
  const ModelTable& table = *shape.table;
  const int layer = layers.last - 1;
  const LayerEntry& entry = table.layers[layer];
  if (entry.streamed_block < 0) return kNoBlock;
  const int index = entry.parameter_blocks[entry.streamed_block];
  const ParameterBlock& block = table.parameter_blocks[index];
  if (IsUsedByAnother(block, layer, layers)) return kNoBlock;

  const std::vector<int64_t>& sizes = block.tensors.front().shape;
  // The table and its gradient, if it has one; the layer's input, and what is
  // made of it.
  const int64_t input_bytes = shape.TrainBoundaryBytes(layer);
  const int64_t range_rows = TableRanges(sizes[0]).front().count();
  const int64_t range_elements = range_rows * sizes[1];
  const int64_t widened_bytes =
      block.type == ElementType::kFloat32 ? 0 : range_elements * kFloatBytes;
  const int64_t whole_bytes =
      block.size_bytes + (block.frozen ? 0 : block.gradient_bytes()) +
      widened_bytes + 2 * input_bytes + LogitsBytes(shape, sizes[0]) +
      RoundedBytes(entry, block);
  if (whole_bytes <= room_bytes - room_bytes / kSpareShare) return kNoBlock;

  const int64_t rows_bytes =
      kRangesOfRows * range_rows * StoredRowBytes(block.type, sizes[1]);
  const int64_t gradients_bytes =
      RangesOfGradients(block, shape.micro_batches) * range_elements *
      kFloatBytes;
  // What is made of the input has its gradient beside it.
  const int64_t streamed_bytes = rows_bytes + gradients_bytes + widened_bytes +
                                 3 * input_bytes +
                                 LogitsBytes(shape, range_rows);
  return streamed_bytes < whole_bytes ? index : kNoBlock;
}

}  // namespace hydra
