#ifndef HYDRA_WORKER_MODEL_ROW_STREAM_H_
#define HYDRA_WORKER_MODEL_ROW_STREAM_H_

#include "ATen/core/Tensor.h"
#include "common/model/table_ranges.h"

namespace hydra {

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
