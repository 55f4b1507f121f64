#ifndef HYDRA_WORKER_EXEC_TOKEN_TABLE_GRADIENT_H_
#define HYDRA_WORKER_EXEC_TOKEN_TABLE_GRADIENT_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "worker/exec/block_io.h"

namespace hydra {

// The embedding's part of the token table's gradient, over the micro-batches of
// a step. Either keeps what each micro-batch gave, or sums it up in a whole
// table, whichever takes less room; the bits are the same.
class TokenTableGradient {
 public:
  // `part_bytes`: of one micro-batch's sum gradient.
  TokenTableGradient(int64_t rows, int64_t width, int64_t micro_batches,
                     int64_t part_bytes);

  // Whether each micro-batch's part is kept until all are added.
  static bool KeepsParts(int64_t rows, int64_t width, int64_t micro_batches,
                         int64_t part_bytes);

  // In the order of micro-batches. As AddTokenRowGradients's arguments.
  void Add(const at::Tensor& tokens, const at::Tensor& sum_gradient,
           const BlockIo& io);

  // Overwrites `to` with the rows [first_row, last_row). Nothing is added any
  // more from then on. All rows together take a time of the order of the
  // tokens, however they are asked for.
  void CopyRows(int64_t first_row, int64_t last_row, const at::Tensor& to);

 private:
  struct Part {
    at::Tensor tokens;
    at::Tensor sum_gradient;
  };

  // Finds the tokens of each row, once.
  void SortByRow();
  // Calls body(id, gradient) for every token that was added, in that order.
  template <typename Body>
  void ForEachToken(Body body) const;

  const int64_t rows_;
  const int64_t width_;
  const bool keeps_parts_;

  std::vector<Part> parts_;
  // The tokens' gradients, row after row, and in each row in the order in which
  // they were added; where each row's begin, and the last one's end.
  std::vector<const float*> by_row_;
  std::vector<int64_t> row_begins_;
  at::Tensor table_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_TOKEN_TABLE_GRADIENT_H_
