#ifndef HYDRA_WORKER_MODEL_CROSS_ENTROPY_H_
#define HYDRA_WORKER_MODEL_CROSS_ENTROPY_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "worker/model/layer.h"
#include "worker/model/micro_batch.h"
#include "worker/model/row_stream.h"

namespace hydra {

// Cross entropy in nats of a micro-batch's tokens over a vocabulary, in pieces:
// the logits [tokens, rows] of some tokens in a row for one range of the
// vocabulary. Tokens are taken in the same slices every time, and each token's
// ranges in ascending order; then the bits do not depend on the order in which
// pieces are computed, nor on how often.
//
// With label smoothing e a token's loss is (1 - e) times its target's plus e
// times the mean over the vocabulary, as transformers' LabelSmoother has it.
class CrossEntropy {
 public:
  // `options` are those of the logits.
  CrossEntropy(const MicroBatch& micro_batch, std::vector<RowRange> ranges,
               const at::TensorOptions& options);

  // Takes in a piece: its logits become their exponentials, less what keeps
  // them from being too large.
  void Add(int64_t first_token, int range, at::Tensor& logits);

  // Every piece of these tokens was added.
  void Finish(int64_t first_token, int64_t tokens);

  // What Add makes of logits that were added before.
  void Exponentiate(int64_t first_token, int range, at::Tensor& logits) const;

  // Turns these, once their tokens are finished, into the gradients of the
  // tokens' losses by the logits.
  void ToGradient(int64_t first_token, int range,
                  at::Tensor& exponentials) const;

  // All tokens are finished: the losses of those that are trained on, fetched
  // from the device once, and added in the tokens' order.
  LossSum Loss() const;

 private:
  // Where the tokens' targets are in the range; anywhere if they are not.
  at::Tensor PlacesOf(const at::Tensor& targets, int range) const;
  at::Tensor AreIn(const at::Tensor& targets, int range) const;
  // What the range's logits give to the scores.
  at::Tensor SmoothedScores(const at::Tensor& targets, int range,
                            const at::Tensor& logits) const;

  const std::vector<RowRange> ranges_;
  const int64_t untrained_targets_;
  // What the target keeps, and what every row of the vocabulary gets.
  const double kept_;
  const double spread_;
  // Both [tokens, 1]; of the targets their logits, then the logarithms of their
  // probabilities. With smoothing, means of these with all rows'.
  const at::Tensor targets_;
  const at::Tensor scores_;
  // Both [tokens, ranges]: the largest logit; the exponentials' sum, then what
  // makes probabilities of them.
  const at::Tensor largest_;
  const at::Tensor factors_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_CROSS_ENTROPY_H_
