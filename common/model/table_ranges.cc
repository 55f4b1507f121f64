#include "common/model/table_ranges.h"

#include <algorithm>

#include "common/model/model_table.h"

namespace hydra {
namespace {

int64_t CeilOf(int64_t number, int64_t divisor) {
  return (number + divisor - 1) / divisor;
}

}  // namespace

std::vector<RowRange> TableRanges(int64_t rows) {
  constexpr int64_t kAlignedRows = kTensorAlignmentBytes / kFloatBytes;
  const int64_t ranges = std::max<int64_t>(1, CeilOf(rows, kTableRangeRows));
  const int64_t rows_of_range =
      CeilOf(CeilOf(rows, ranges), kAlignedRows) * kAlignedRows;
  std::vector<RowRange> made;
  for (int64_t first = 0; first < rows; first += rows_of_range) {
    made.push_back({first, std::min(rows, first + rows_of_range)});
  }
  return made;
}

}  // namespace hydra
