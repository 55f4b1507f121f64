#ifndef HYDRA_WORKER_MODEL_ROW_STREAM_H_
#define HYDRA_WORKER_MODEL_ROW_STREAM_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"

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

// A parameter block of one tensor [rows, width], of which a layer takes one of
// TableRanges after the other, so that neither the block nor its gradient is
// on the device as a whole.
//
// Not thread-safe. LibTorch's exceptions pass through.
class RowStream {
 public:
  // Behind the last range that is asked for.
  static constexpr int kNone = -1;

  virtual ~RowStream() = default;

  // The range's rows. `next` is asked for after it, and may be on its way
  // meanwhile: who drops the one before asking for the next has two of them on
  // the device at most.
  virtual at::Tensor Rows(int range, int next) = 0;

  // Of a frozen block nobody asks for it, and nobody gives one.
  //
  // Memory for the gradient of the range's rows, the caller's until he gives it
  // back: with `accumulate` what was given for it last, else anything. `next`
  // as above.
  virtual at::Tensor Gradient(int range, int next, bool accumulate) = 0;

  // All of the range's gradient. Nobody changes it any more.
  virtual void GiveGradient(int range, at::Tensor gradient) = 0;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_ROW_STREAM_H_
