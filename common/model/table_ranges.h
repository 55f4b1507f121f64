#ifndef HYDRA_COMMON_MODEL_TABLE_RANGES_H_
#define HYDRA_COMMON_MODEL_TABLE_RANGES_H_

#include <cstdint>
#include <vector>

namespace hydra {

// The rows [first, last) of a table.
struct RowRange {
  int64_t first = 0;
  int64_t last = 0;

  int64_t count() const { return last - first; }
};

// The ranges in which a layer takes a table of so many rows, in order: about
// equally long, at most kTableRangeRows each, and the first one is the longest.
// They begin at multiples of 64 bytes, whatever the rows' width. Part of the
// arithmetic: other ranges would sum in another order. Pure.
inline constexpr int64_t kTableRangeRows = 8192;
std::vector<RowRange> TableRanges(int64_t rows);

// Tokens whose numbers for all rows of a range, or of the table, exist at once:
// of a vocabulary, their logits. Part of the arithmetic too.
inline constexpr int64_t kLossSliceTokens = 128;

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_TABLE_RANGES_H_
