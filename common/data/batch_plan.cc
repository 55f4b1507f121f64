#include "common/data/batch_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/hash/split_mix.h"
#include "glog/logging.h"

namespace hydra {
namespace {

// Uniform in [0, bound) but for a bias below bound / 2^64.
uint64_t Scale(uint64_t random, uint64_t bound) {
  return absl::Uint128High64(absl::uint128(random) * bound);
}

}  // namespace

int64_t WindowCount(int64_t token_count, int64_t context_length) {
  CHECK_GE(token_count, 0);
  CHECK_GT(context_length, 0);
  if (token_count == 0) return 0;
  return (token_count - 1) / context_length;
}

int64_t StepsPerEpoch(int64_t window_count, int64_t batch_size) {
  CHECK_GE(window_count, 0);
  CHECK_GT(batch_size, 0);
  return window_count / batch_size;
}

absl::Span<const int64_t> MicroBatchWindows(absl::Span<const int64_t> windows,
                                            int64_t micro_batch,
                                            int64_t micro_batches) {
  CHECK_GE(micro_batch, 0);
  CHECK_LT(micro_batch, micro_batches);
  const int64_t batch_size = windows.size();
  CHECK_EQ(batch_size % micro_batches, 0);
  const int64_t size = batch_size / micro_batches;
  return windows.subspan(micro_batch * size, size);
}

int64_t EvaluationBatchCount(int64_t window_count, int64_t batch_size) {
  CHECK_GE(window_count, 0);
  CHECK_GT(batch_size, 0);
  return window_count / batch_size + (window_count % batch_size != 0 ? 1 : 0);
}

WindowRange EvaluationBatch(int64_t window_count, int64_t batch_size,
                            int64_t batch) {
  CHECK_GE(batch, 0);
  CHECK_LT(batch, EvaluationBatchCount(window_count, batch_size));
  const int64_t first = batch * batch_size;
  return {first, std::min(batch_size, window_count - first)};
}

absl::StatusOr<BatchOrder> BatchOrder::Create(int64_t window_count,
                                              int64_t batch_size,
                                              uint64_t data_seed) {
  if (batch_size < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch_size is ", batch_size, ", must be at least 1"));
  }
  if (window_count < batch_size) {
    return absl::InvalidArgumentError(
        absl::StrCat("the training split has ", window_count,
                     " windows, fewer than one batch of ", batch_size));
  }
  if (window_count > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the training split has ", window_count, " windows, more than ",
        std::numeric_limits<uint32_t>::max()));
  }
  return BatchOrder(window_count, batch_size, data_seed);
}

BatchOrder::BatchOrder(int64_t window_count, int64_t batch_size,
                       uint64_t data_seed)
    : window_count_(window_count),
      batch_size_(batch_size),
      data_seed_(data_seed),
      steps_per_epoch_(StepsPerEpoch(window_count, batch_size)) {}

std::vector<int64_t> BatchOrder::WindowsOfStep(int64_t step) {
  CHECK_GE(step, 0);
  const int64_t epoch = step / steps_per_epoch_;
  if (epoch != epoch_) ShuffleFor(epoch);
  const auto first = windows_.begin() + step % steps_per_epoch_ * batch_size_;
  return std::vector<int64_t>(first, first + batch_size_);
}

void BatchOrder::ShuffleFor(int64_t epoch) {
  windows_.resize(window_count_);
  std::iota(windows_.begin(), windows_.end(), 0);
  const uint64_t key = SplitMix(SplitMix(data_seed_ + kSplitMixStep) +
                                (epoch + uint64_t{1}) * kSplitMixStep);
  for (uint64_t i = window_count_ - 1; i > 0; --i) {
    std::swap(windows_[i],
              windows_[Scale(SplitMix(key + i * kSplitMixStep), i + 1)]);
  }
  epoch_ = epoch;
}

}  // namespace hydra
