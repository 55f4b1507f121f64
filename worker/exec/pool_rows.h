#ifndef HYDRA_WORKER_EXEC_POOL_ROWS_H_
#define HYDRA_WORKER_EXEC_POOL_ROWS_H_

#include <vector>

#include "ATen/core/Tensor.h"
#include "worker/exec/gradient_place.h"
#include "worker/exec/pass.h"
#include "worker/model/row_stream.h"

namespace hydra {

// The pass's streamed block: its ranges are promoted from the pool, each while
// the one before it computes, and their gradients are demoted to it. Of each,
// one range is computed with and one is on its way, at most, in each direction.
// A frozen block has no gradient.
//
// `pass` outlives this.
class PoolRows : public RowStream {
 public:
  explicit PoolRows(const Pass& pass);

  at::Tensor Rows(int range, int next) override;
  at::Tensor Gradient(int range, int next, bool accumulate) override;
  void GiveGradient(int range, at::Tensor gradient) override;

  // Of a backward pass: where the gradient goes. What waits, for the step's
  // next round, for the block's owner in another shard or to be clipped, is a
  // version of its own; what the owner updates with goes to the slot of the
  // block's new parameters, or to their new masters', which nobody needs
  // before.
  const GradientPlace& gradient() const { return gradient_; }

  // Makes a part of the gradient NaN.
  void SpoilGradient();

 private:
  struct Coming {
    int range = kNone;
    at::Tensor rows;
    Mark ready;
  };

  int64_t First(int range) const { return ranges_[range].first * width_; }
  at::Tensor Empty(int range) const;
  // Of gradients, or of rows of the block's type.
  Coming Begin(const GradientPlace& place, int range, ElementType type);
  // What was begun, if it is that range, ready for operations; begins the next.
  // `place_of` a range: where what it is a part of is.
  template <typename PlaceOf>
  at::Tensor Take(PlaceOf place_of, ElementType type, int range, int next,
                  Coming& coming);

  const Pass& pass_;
  const std::vector<RowRange> ranges_;
  const int64_t width_;
  const worker::v1::BlockVersion& parameters_;
  const GradientPlace gradient_;
  // What earlier rounds of the step added up of it; null: this is the first.
  const worker::v1::BlockVersion* const earlier_;
  // By range: whether the gradient has what this pass gave.
  std::vector<bool> given_;

  Coming coming_rows_;
  Coming coming_gradient_;
  // Of the last two gradients that were demoted.
  Mark departed_before_;
  Mark departed_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_POOL_ROWS_H_
