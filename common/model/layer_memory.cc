#include "common/model/layer_memory.h"

#include <algorithm>
#include <vector>

#include "common/model/table_ranges.h"

namespace hydra {

BoundaryTensor PerToken(int64_t width) {
  return {ElementType::kFloat32, {kBatchSequences, kBatchContext, width}};
}

BoundaryTensor RowsLikeOutputs(const LayerEntry& layer, int64_t width) {
  if (layer.outputs.empty()) return PerToken(width);
  BoundaryTensor rows = layer.outputs.front();
  rows.shape.back() = width;
  return rows;
}

bool HasScores(const std::vector<BoundaryTensor>& moment) {
  return std::any_of(moment.begin(), moment.end(), [](const auto& tensor) {
    return tensor.shape.size() == 3 && tensor.shape[1] == tensor.shape[2];
  });
}

BoundaryTensor PerPair(int64_t heads) {
  return {ElementType::kFloat32, {heads, kBatchContext, kBatchContext}};
}

std::vector<BoundaryTensor> AttentionMemory::Forward() const {
  return {PerToken(query_width), PerToken(key_width), PerToken(key_width),
          PerToken(query_width), PerPair(heads)};
}

std::vector<BoundaryTensor> AttentionMemory::Backward() const {
  std::vector<BoundaryTensor> tensors = Forward();
  tensors.push_back(PerToken(query_width));
  tensors.push_back(PerPair(heads));
  tensors.push_back(
      {ElementType::kFloat32, {kBatchContext, query_width + 2 * key_width}});
  return tensors;
}

LayerMemory HeadMemory(int64_t width, int64_t vocabulary) {
  const auto logits = [](int64_t rows) {
    return BoundaryTensor{ElementType::kFloat32, {kLossSliceTokens, rows}};
  };
  LayerMemory memory;
  memory.forward = {
      {PerToken(width), logits(TableRanges(vocabulary).front().count())}};
  memory.backward = {{PerToken(width), logits(vocabulary)}};
  return memory;
}

}  // namespace hydra
