#include "common/model/factored_moments.h"

#include <utility>

namespace hydra {
namespace {

int64_t CountOf(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (int64_t dimension : shape) count *= dimension;
  return count;
}

// Behind what ends at `end_bytes`, which it moves on.
FactoredMoment Place(const char* name, std::vector<int64_t> shape,
                     int64_t& end_bytes) {
  FactoredMoment moment;
  moment.name = name;
  moment.element_count = CountOf(shape);
  moment.shape = std::move(shape);
  moment.offset_bytes = end_bytes;
  end_bytes += AlignedTensorBytes(moment.element_count * kFloatBytes);
  return moment;
}

FactoredMoments MomentsOf(const TensorEntry& tensor, int64_t& end_bytes) {
  FactoredMoments kept;
  if (tensor.use != TensorUse::kParameter) return kept;
  const std::vector<int64_t>& shape = tensor.shape;
  if (shape.size() < 2) {
    kept.columns = tensor.element_count;
    kept.moments.push_back(Place("exp_avg_sq", shape, end_bytes));
    return kept;
  }
  const std::vector<int64_t> outer(shape.begin(), shape.end() - 2);
  kept.matrices = CountOf(outer);
  kept.rows = shape[shape.size() - 2];
  kept.columns = shape.back();
  std::vector<int64_t> row_shape = outer;
  row_shape.push_back(kept.rows);
  std::vector<int64_t> column_shape = outer;
  column_shape.push_back(kept.columns);
  kept.moments.push_back(
      Place("exp_avg_sq_row", std::move(row_shape), end_bytes));
  kept.moments.push_back(
      Place("exp_avg_sq_col", std::move(column_shape), end_bytes));
  return kept;
}

}  // namespace

std::vector<FactoredMoments> FactoredMomentsOf(const ParameterBlock& block) {
  std::vector<FactoredMoments> kept;
  int64_t end_bytes = 0;
  for (const TensorEntry& tensor : block.tensors) {
    kept.push_back(MomentsOf(tensor, end_bytes));
  }
  return kept;
}

int64_t FactoredStateBytes(const ParameterBlock& block) {
  int64_t bytes = 0;
  for (const FactoredMoments& kept : FactoredMomentsOf(block)) {
    for (const FactoredMoment& moment : kept.moments) {
      bytes += AlignedTensorBytes(moment.element_count * kFloatBytes);
    }
  }
  return bytes;
}

}  // namespace hydra
