#ifndef HYDRA_WORKER_MODEL_CLASS_LOSS_H_
#define HYDRA_WORKER_MODEL_CLASS_LOSS_H_

#include "ATen/core/Tensor.h"
#include "worker/model/layer.h"
#include "worker/model/micro_batch.h"

namespace hydra {

// The cross entropy in nats of a micro-batch's examples over all classes at
// once: the end of models that classify. `logits` are [examples, classes], and
// something else afterwards.

// Counts what is correct, too: of equally likely classes, the first one is the
// most likely.
LossSum ClassLoss(const MicroBatch& micro_batch, at::Tensor& logits);

// Turns the logits into the gradient of the loss times the micro-batch's
// gradient_scale; counts nothing.
LossSum ClassLossToGradient(const MicroBatch& micro_batch, at::Tensor& logits);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_CLASS_LOSS_H_
