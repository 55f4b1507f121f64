#include "worker/model/testing/held_rows.h"

#include "ATen/ops/full_like.h"
#include "glog/logging.h"
#include "worker/model/block_views.h"

namespace hydra {

HeldRows::HeldRows(const ParameterBlock& block, const at::Tensor& flat,
                   const at::Tensor& flat_gradient)
    : table_(TensorViews(block, flat).front()),
      gradient_(TensorViews(block, flat_gradient).front()),
      ranges_(TableRanges(table_.size(0))) {}

at::Tensor HeldRows::Rows(int range, int next) {
  if (next_rows_ != kNone) CHECK_EQ(range, next_rows_);
  next_rows_ = next;
  ++rows_asked_;
  return Range(table_, range).clone();
}

at::Tensor HeldRows::Gradient(int range, int next, bool accumulate) {
  if (next_gradient_ != kNone) CHECK_EQ(range, next_gradient_);
  next_gradient_ = next;
  CHECK(gradient_.defined());
  const at::Tensor sum = Range(gradient_, range);
  return accumulate ? sum.clone() : at::full_like(sum, 12345.0f);
}

void HeldRows::GiveGradient(int range, at::Tensor gradient) {
  Range(gradient_, range).copy_(gradient);
}

at::Tensor HeldRows::Range(const at::Tensor& table, int range) const {
  return table.narrow(0, ranges_[range].first, ranges_[range].count());
}

}  // namespace hydra
