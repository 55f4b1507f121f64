#include "worker/model/cross_entropy.h"

#include <limits>
#include <utility>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/amax.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/sum.h"
#include "ATen/ops/where.h"

namespace hydra {

CrossEntropy::CrossEntropy(const MicroBatch& micro_batch,
                           std::vector<RowRange> ranges,
                           const at::TensorOptions& options)
    : ranges_(std::move(ranges)),
      untrained_targets_(micro_batch.untrained_targets),
      kept_(1 - micro_batch.label_smoothing),
      spread_(micro_batch.label_smoothing /
              static_cast<double>(ranges_.back().last)),
      targets_(micro_batch.Targets().reshape({-1, 1})),
      scores_(at::empty(targets_.sizes(), options)),
      largest_(at::empty(
          {targets_.size(0), static_cast<int64_t>(ranges_.size())}, options)),
      factors_(at::empty(largest_.sizes(), options)) {}

void CrossEntropy::Add(int64_t first_token, int range, at::Tensor& logits) {
  const int64_t tokens = logits.size(0);
  const at::Tensor targets = targets_.narrow(0, first_token, tokens);
  const at::Tensor scores = scores_.narrow(0, first_token, tokens);
  if (spread_ == 0) {
    const at::Tensor found = logits.gather(1, PlacesOf(targets, range));
    scores.copy_(at::where(AreIn(targets, range), found, scores));
  } else if (range == 0) {
    scores.copy_(SmoothedScores(targets, range, logits));
  } else {
    scores.add_(SmoothedScores(targets, range, logits));
  }
  // Where all of a range's logits are -infinity, its exponentials are zeros.
  largest_.narrow(0, first_token, tokens)
      .select(1, range)
      .copy_(at::amax(logits, /*dim=*/1)
                 .clamp_min_(std::numeric_limits<float>::lowest()));
  Exponentiate(first_token, range, logits);
  factors_.narrow(0, first_token, tokens)
      .select(1, range)
      .copy_(at::sum(logits, /*dim=*/1));
}

void CrossEntropy::Finish(int64_t first_token, int64_t tokens) {
  const at::Tensor scores = scores_.narrow(0, first_token, tokens);
  const at::Tensor largest = largest_.narrow(0, first_token, tokens);
  const at::Tensor factors = factors_.narrow(0, first_token, tokens);
  const at::Tensor largest_of_all = at::amax(largest, 1, /*keepdim=*/true);
  // Of each range, by what its exponentials are too large.
  const at::Tensor scales = (largest - largest_of_all).exp_();
  const at::Tensor sums = at::sum(factors * scales, 1, /*keepdim=*/true);
  scores.sub_(largest_of_all).sub_(sums.log());
  factors.copy_(scales.div_(sums));
  if (untrained_targets_ > 0) {
    // Nothing follows from their logits.
    factors.masked_fill_(targets_.narrow(0, first_token, tokens).eq(kNoTarget),
                         0);
  }
}

void CrossEntropy::Exponentiate(int64_t first_token, int range,
                                at::Tensor& logits) const {
  logits
      .sub_(largest_.narrow(0, first_token, logits.size(0)).narrow(1, range, 1))
      .exp_();
}

void CrossEntropy::ToGradient(int64_t first_token, int range,
                              at::Tensor& exponentials) const {
  const int64_t tokens = exponentials.size(0);
  const at::Tensor targets = targets_.narrow(0, first_token, tokens);
  exponentials.mul_(
      factors_.narrow(0, first_token, tokens).narrow(1, range, 1));
  const auto type = exponentials.scalar_type();
  if (spread_ != 0) {
    exponentials.sub_(targets.ne(kNoTarget).to(type).mul_(spread_));
  }
  // Where the target is in another range, nothing is taken from any place.
  at::Tensor taken = AreIn(targets, range).to(type).neg_();
  if (spread_ != 0) taken.mul_(kept_);
  exponentials.scatter_add_(1, PlacesOf(targets, range), taken);
}

LossSum CrossEntropy::Loss() const {
  const at::Tensor on_host = scores_.cpu();
  const float* const scores = on_host.const_data_ptr<float>();
  const int64_t count = on_host.numel();
  LossSum loss;
  loss.tokens = count - untrained_targets_;
  if (untrained_targets_ == 0) {
    for (int64_t i = 0; i < count; ++i) loss.loss_sum -= scores[i];
    return loss;
  }
  const at::Tensor targets_on_host = targets_.cpu();
  const int64_t* const targets = targets_on_host.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    if (targets[i] != kNoTarget) loss.loss_sum -= scores[i];
  }
  return loss;
}

at::Tensor CrossEntropy::SmoothedScores(const at::Tensor& targets, int range,
                                        const at::Tensor& logits) const {
  const at::Tensor found =
      logits.gather(1, PlacesOf(targets, range))
          .mul_(kept_)
          .masked_fill_(AreIn(targets, range).logical_not_(), 0);
  return at::sum(logits, /*dim=*/1, /*keepdim=*/true).mul_(spread_).add_(found);
}

at::Tensor CrossEntropy::PlacesOf(const at::Tensor& targets, int range) const {
  return (targets - ranges_[range].first).clamp_(0, ranges_[range].count() - 1);
}

at::Tensor CrossEntropy::AreIn(const at::Tensor& targets, int range) const {
  return targets.ge(ranges_[range].first)
      .logical_and_(targets.lt(ranges_[range].last));
}

}  // namespace hydra
