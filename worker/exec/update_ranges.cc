#include "worker/exec/update_ranges.h"

#include <algorithm>

#include "worker/model/optimizer_step.h"

namespace hydra {
namespace {

std::vector<BlockRange> RowRangesOf(const ParameterBlock& table) {
  const int64_t aligned_rows = kTensorAlignmentBytes / ElementBytes(table.type);
  const int64_t rows = table.tensors.front().shape[0];
  const int64_t width = table.tensors.front().shape[1];
  const int64_t rows_of_range = std::max(
      aligned_rows, kUpdateRangeElements / width / aligned_rows * aligned_rows);
  std::vector<BlockRange> ranges;
  for (int64_t row = 0; row < rows; row += rows_of_range) {
    const int64_t last_row = std::min(rows, row + rows_of_range);
    const int64_t first = row * width;
    const int64_t end =
        last_row == rows ? table.element_count() : last_row * width;
    ranges.push_back({first, end - first, row, last_row});
  }
  return ranges;
}

}  // namespace

std::vector<BlockRange> UpdateRangesOf(const ParameterBlock& block) {
  if (block.rows_are_gathered) return RowRangesOf(block);
  const int64_t count = block.element_count();
  std::vector<BlockRange> ranges;
  for (int64_t first = 0; first < count; first += kUpdateRangeElements) {
    ranges.push_back({first, std::min(kUpdateRangeElements, count - first)});
  }
  return ranges;
}

}  // namespace hydra
