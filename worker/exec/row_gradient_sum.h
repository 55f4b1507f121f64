#ifndef HYDRA_WORKER_EXEC_ROW_GRADIENT_SUM_H_
#define HYDRA_WORKER_EXEC_ROW_GRADIENT_SUM_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/exec/update_ranges.h"
#include "worker/model/layer.h"

namespace hydra {

// The part of a block's gradient that comes from the rows which its owner
// gathers, over the micro-batches of a step, or of its rounds up to this one.
// Either keeps what each micro-batch gave, or sums it up in a whole table,
// whichever takes less room; the bits are the same.
class RowGradientSum {
 public:
  // An fp32 tensor, uninitialized, where the sum shall be.
  using Empty = std::function<at::Tensor(at::IntArrayRef sizes)>;

  // Overwrites `to` [rows, width] with what earlier rounds of the step added
  // up, from `first_row` on.
  using Earlier = std::function<void(int64_t first_row, const at::Tensor& to)>;

  // `block`: one tensor [rows, width]. `rows_of_batch`: how many rows a
  // micro-batch gathers at most. `earlier`: null in a step's first round.
  RowGradientSum(const ParameterBlock& block, int64_t rows_of_batch,
                 int64_t micro_batches, Empty empty, Earlier earlier = nullptr);

  // Whether each micro-batch's part is kept until all are added.
  static bool KeepsParts(const ParameterBlock& block, int64_t rows_of_batch,
                         int64_t micro_batches);

  bool keeps_parts() const { return keeps_parts_; }

  // In the order of micro-batches. Of a part that it keeps, it keeps the
  // tensors.
  void Add(const RowGradients& part);

  // Overwrites `to` with the rows [first_row, last_row). Nothing is added any
  // more from then on. All rows together take a time of the order of the
  // gathered rows, however they are asked for.
  void CopyRows(int64_t first_row, int64_t last_row, const at::Tensor& to);

  // The same of the block's elements in the range; its padding is zero.
  void CopyRange(const BlockRange& range, const at::Tensor& to);

 private:
  // What the rows from `first_row` on begin with.
  void Begin(int64_t first_row, const at::Tensor& to) const;
  // Finds the tokens of each row, once.
  void SortByRow();
  // Calls body(id, gradient) for every token that was added, in that order.
  template <typename Body>
  void ForEachToken(Body body) const;

  const int64_t rows_;
  const int64_t width_;
  const bool keeps_parts_;
  const Empty empty_;
  const Earlier earlier_;

  std::vector<RowGradients> parts_;
  // The tokens' gradients, row after row, and in each row in the order in which
  // they were added; where each row's begin, and the last one's end.
  std::vector<const float*> by_row_;
  std::vector<int64_t> row_begins_;
  at::Tensor table_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_ROW_GRADIENT_SUM_H_
