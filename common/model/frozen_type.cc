#include "common/model/frozen_type.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/layer_memory.h"
#include "common/model/table_ranges.h"

namespace hydra {
namespace {

const char* NameOf(ElementType type) {
  return type == ElementType::kBFloat16 ? "bfloat16" : "float16";
}

void LayOut(ElementType type, ParameterBlock& block) {
  block.type = type;
  block.size_bytes = 0;
  for (TensorEntry& tensor : block.tensors) {
    tensor.offset_bytes = block.size_bytes;
    block.size_bytes +=
        AlignedTensorBytes(tensor.element_count * ElementBytes(type));
  }
}

// What of the block is widened at once: of a table its range of rows; of linear
// maps the largest one; of anything else but gathered rows all of it.
int64_t WidenedElements(const ParameterBlock& block, bool is_streamed) {
  if (is_streamed) {
    const std::vector<int64_t>& sizes = block.tensors.front().shape;
    return TableRanges(sizes[0]).front().count() * sizes[1];
  }
  int64_t most = 0;
  for (const TensorEntry& tensor : block.tensors) {
    if (tensor.linear != LinearLayout::kNone) {
      most = std::max(most, tensor.element_count);
    }
  }
  if (most == 0 && !block.rows_are_gathered) return block.element_count();
  return most;
}

void AddMemory(const ModelTable& table, LayerEntry& layer) {
  int64_t widened = 0;
  for (size_t i = 0; i < layer.parameter_blocks.size(); ++i) {
    const ParameterBlock& block =
        table.parameter_blocks[layer.parameter_blocks[i]];
    if (block.type == ElementType::kFloat32) continue;
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

}  // namespace

ModelTable WithFrozenType(ModelTable table, ElementType type) {
  if (type == ElementType::kFloat32) return table;
  bool has_any = false;
  for (ParameterBlock& block : table.parameter_blocks) {
    if (!block.frozen || block.has_statistics()) continue;
    LayOut(type, block);
    has_any = true;
  }
  if (!has_any) return table;
  for (LayerEntry& layer : table.layers) AddMemory(table, layer);
  absl::StrAppend(&table.architecture_key, " frozen_dtype=", NameOf(type));
  return table;
}

ElementType ElementTypeOf(hydra::v1::ParameterType type) {
  switch (type) {
    case hydra::v1::PARAMETER_TYPE_BFLOAT16:
      return ElementType::kBFloat16;
    case hydra::v1::PARAMETER_TYPE_FLOAT16:
      return ElementType::kFloat16;
    default:
      return ElementType::kFloat32;
  }
}

}  // namespace hydra
