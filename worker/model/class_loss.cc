#include "worker/model/class_loss.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/argmax.h"
#include "worker/model/cross_entropy.h"

namespace hydra {
namespace {

// Turns the logits into their exponentials.
CrossEntropy LossOf(const MicroBatch& micro_batch, at::Tensor& logits) {
  CrossEntropy loss(micro_batch, {{0, logits.size(1)}}, logits.options());
  loss.Add(/*first_token=*/0, /*range=*/0, logits);
  loss.Finish(/*first_token=*/0, logits.size(0));
  return loss;
}

}  // namespace

LossSum ClassLoss(const MicroBatch& micro_batch, at::Tensor& logits) {
  const at::Tensor likely = at::argmax(logits, /*dim=*/1, /*keepdim=*/true);
  LossSum loss = LossOf(micro_batch, logits).Loss();
  loss.correct = likely.eq(micro_batch.Targets()).sum().item<int64_t>();
  return loss;
}

LossSum ClassLossToGradient(const MicroBatch& micro_batch, at::Tensor& logits) {
  const CrossEntropy loss = LossOf(micro_batch, logits);
  const LossSum sum = loss.Loss();
  loss.ToGradient(/*first_token=*/0, /*range=*/0, logits);
  logits.mul_(micro_batch.gradient_scale);
  return sum;
}

}  // namespace hydra
