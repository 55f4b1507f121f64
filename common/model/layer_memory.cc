#include "common/model/layer_memory.h"

#include <vector>

#include "common/model/table_ranges.h"

namespace hydra {

BoundaryTensor PerToken(int64_t width) {
  return {ElementType::kFloat32, {kBatchSequences, kBatchContext, width}};
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
