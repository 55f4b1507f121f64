#include "common/model/two_byte_block.h"

#include <algorithm>
#include <vector>

#include "common/model/layer_memory.h"
#include "common/model/quantized_rows.h"
#include "common/model/table_ranges.h"

namespace hydra {
namespace {

// What of the block is widened at once: of a table its range of rows; of linear
// maps the largest one; of anything else but gathered rows all of it.
int64_t WidenedElements(const ParameterBlock& block, bool is_streamed) {
  if (is_streamed) {
    const std::vector<int64_t>& sizes = block.tensors.front().shape;
    return TableRanges(sizes[0]).front().count() * sizes[1];
  }
  int64_t most = 0;
  int64_t all = 0;
  for (const TensorEntry& tensor : block.tensors) {
    if (StoredType(block.type, tensor) == ElementType::kFloat32) continue;
    all += AlignedTensorBytes(tensor.element_count * kFloatBytes) / kFloatBytes;
    if (tensor.linear != LinearLayout::kNone) {
      most = std::max(most, tensor.element_count);
    }
  }
  if (most == 0 && !block.rows_are_gathered) return all;
  return most;
}

}  // namespace

absl::string_view ElementTypeName(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "float32";
    case ElementType::kInt64:
      return "int64";
    case ElementType::kBFloat16:
      return "bfloat16";
    case ElementType::kFloat16:
      return "float16";
    case ElementType::kInt8:
      return "int8";
  }
  return "";
}

void LayOutAs(ElementType type, ParameterBlock& block) {
  block.type = type;
  block.size_bytes = 0;
  for (TensorEntry& tensor : block.tensors) {
    tensor.offset_bytes = block.size_bytes;
    block.size_bytes += AlignedTensorBytes(StoredBytes(type, tensor));
  }
}

void ReckonWithWidened(const ModelTable& table,
                       absl::FunctionRef<bool(const ParameterBlock&)> is_meant,
                       LayerEntry& layer) {
  int64_t widened = 0;
  for (size_t i = 0; i < layer.parameter_blocks.size(); ++i) {
    const ParameterBlock& block =
        table.parameter_blocks[layer.parameter_blocks[i]];
    if (block.type == ElementType::kFloat32 || !is_meant(block)) continue;
    widened = std::max(
        widened,
        WidenedElements(block, static_cast<int>(i) == layer.streamed_block));
  }
  if (widened == 0) return;
  const BoundaryTensor tensor = {ElementType::kFloat32, {widened}};
  for (auto* moments : {&layer.memory.forward, &layer.memory.backward}) {
    for (std::vector<BoundaryTensor>& moment : *moments) {
      if (!HasScores(moment)) moment.push_back(tensor);
    }
  }
}

}  // namespace hydra
