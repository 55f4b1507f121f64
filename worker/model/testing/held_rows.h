#ifndef HYDRA_WORKER_MODEL_TESTING_HELD_ROWS_H_
#define HYDRA_WORKER_MODEL_TESTING_HELD_ROWS_H_

#include <vector>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/row_stream.h"

namespace hydra {

// A stream of a block that lies in memory as a whole. Each range comes in
// memory of its own, and only as it was announced: CHECKs that the one that is
// asked for was named as the next one.
class HeldRows : public RowStream {
 public:
  // `block`: one tensor [rows, width]; its flats. Without that of the gradient,
  // whoever asks for one dies.
  HeldRows(const ParameterBlock& block, const at::Tensor& flat,
           const at::Tensor& flat_gradient);

  at::Tensor Rows(int range, int next) override;
  at::Tensor Gradient(int range, int next, bool accumulate) override;
  void GiveGradient(int range, at::Tensor gradient) override;

  // Ranges of rows that were asked for.
  int rows_asked() const { return rows_asked_; }

 private:
  at::Tensor Range(const at::Tensor& table, int range) const;

  const at::Tensor table_;
  const at::Tensor gradient_;
  const std::vector<RowRange> ranges_;
  int rows_asked_ = 0;
  int next_rows_ = kNone;
  int next_gradient_ = kNone;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TESTING_HELD_ROWS_H_
