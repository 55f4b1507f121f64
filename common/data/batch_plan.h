#ifndef HYDRA_COMMON_DATA_BATCH_PLAN_H_
#define HYDRA_COMMON_DATA_BATCH_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

// Which tokens a step trains on. Daemon, worker and reference all ask here, so
// they agree without a message: every answer follows from the arguments alone.
//
// A split is a row of tokens. Window w of context length T covers the T + 1
// tokens [w * T, w * T + T]: T inputs, and the same range one later as targets.
// Windows share one token with their neighbour and no target is seen twice.
// Where rows are sequences of their own, window w is row w, of at most T tokens
// (split_windows.h); behind them it is padded.
//
// Order of a training epoch (fixed: losses and checkpoints depend on it). With
// all arithmetic modulo 2^64 and
//   mix(z):  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9
//            z = (z ^ z >> 27) * 0x94d049bb133111eb
//            return z ^ z >> 31                       (SplitMix64's finalizer)
//   g     =  0x9e3779b97f4a7c15
//   key   =  mix(mix(seed + g) + (epoch + 1) * g)
// start from 0, 1, ..., n - 1 and, for i from n - 1 down to 1, swap entry i
// with entry j = floor(mix(key + i * g) * (i + 1) / 2^64).
namespace hydra {

// In place of a target: there is no loss, as in Hugging Face's labels.
inline constexpr int64_t kNoTarget = -100;

// Windows in a split of `token_count` tokens; 0 if it is too short for one.
// Requires token_count >= 0 and context_length > 0.
int64_t WindowCount(int64_t token_count, int64_t context_length);

// Optimizer updates in one epoch; an incomplete last batch is dropped.
// Requires window_count >= 0 and batch_size > 0.
int64_t StepsPerEpoch(int64_t window_count, int64_t batch_size);

// The part of a step's windows that micro-batch `micro_batch` of
// `micro_batches` trains on: consecutive, equally long, in order.
// Requires windows.size() to be divisible by `micro_batches`, and
// 0 <= micro_batch < micro_batches. Points into `windows`.
absl::Span<const int64_t> MicroBatchWindows(absl::Span<const int64_t> windows,
                                            int64_t micro_batch,
                                            int64_t micro_batches);

// Batches of one evaluation, which takes every window once and in sequence.
// Requires window_count >= 0 and batch_size > 0.
int64_t EvaluationBatchCount(int64_t window_count, int64_t batch_size);

// Consecutive windows [first, first + count).
struct WindowRange {
  int64_t first = 0;
  int64_t count = 0;
};

// Batch `batch` of an evaluation; the last one may be shorter.
// Requires 0 <= batch < EvaluationBatchCount(window_count, batch_size).
WindowRange EvaluationBatch(int64_t window_count, int64_t batch_size,
                            int64_t batch);

// The windows of each training step, in any order of asking.
//
// Keeps the permutation of the epoch asked for last (4 bytes a window), so a
// step costs O(batch_size), and a change of epoch O(windows).
// Not thread-safe.
class BatchOrder {
 public:
  // INVALID_ARGUMENT: batch_size < 1, fewer windows than one batch, or more
  //   windows than 2^32 - 1.
  static absl::StatusOr<BatchOrder> Create(int64_t window_count,
                                           int64_t batch_size,
                                           uint64_t data_seed);

  int64_t steps_per_epoch() const { return steps_per_epoch_; }

  // The batch_size windows of global step `step` (0 is the job's first). Steps
  // go through as many epochs as are asked for. Requires step >= 0.
  std::vector<int64_t> WindowsOfStep(int64_t step);

 private:
  BatchOrder(int64_t window_count, int64_t batch_size, uint64_t data_seed);

  void ShuffleFor(int64_t epoch);

  int64_t window_count_;
  int64_t batch_size_;
  uint64_t data_seed_;
  int64_t steps_per_epoch_;

  int64_t epoch_ = -1;
  std::vector<uint32_t> windows_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_DATA_BATCH_PLAN_H_
