#ifndef HYDRA_WORKER_MODEL_MICRO_BATCH_H_
#define HYDRA_WORKER_MODEL_MICRO_BATCH_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "common/data/batch_plan.h"

namespace hydra {

// One slice of a step's mini-batch, as every layer's pass sees it.
struct MicroBatch {
  int64_t sequences() const {
    return (tokens.defined() ? tokens : targets).size(0);
  }
  int64_t context() const {
    return tokens.defined() ? tokens.size(1) - 1 : targets.size(1);
  }
  // Targets that are trained on.
  int64_t target_count() const {
    return (targets.defined() ? targets.numel() : sequences() * context()) -
           untrained_targets;
  }
  // Views, both [sequences, context], but for targets that are classes. Of
  // examples there are no inputs.
  at::Tensor Inputs() const;
  at::Tensor Targets() const;

  // int64 [sequences, context + 1]; of sequences that are taken whole the last
  // column is padding. Undefined: the model is fed examples.
  at::Tensor tokens;
  // int64 [sequences, context], with kNoTarget for what is not trained on.
  // Undefined: each token is the target of the one before it. Of examples, or
  // sequences, that are classified their classes, [sequences, 1].
  at::Tensor targets;
  // Of sequences that are taken whole, int64 [sequences]: so many tokens of
  // each are there, at least 1. From the batch for the first layer, from its
  // boundary for any other one. Undefined: all are.
  at::Tensor lengths;
  // Which of its sequence's texts each token is of, int64 [sequences, context];
  // for the first layer alone. Undefined: there is one.
  at::Tensor token_types;
  // fp32 [sequences, numbers of an example], for the first layer alone: may be
  // undefined for others.
  at::Tensor examples;
  // How often kNoTarget stands in `targets`.
  int64_t untrained_targets = 0;
  // From DropoutSeed; not looked at unless `training`.
  uint64_t seed = 0;
  // What the gradient of a summed loss is multiplied by: 1 / target tokens of
  // the whole step.
  double gradient_scale = 1;
  // Dropout is on.
  bool training = false;
  // So much of each target's weight is spread evenly over the vocabulary; see
  // CrossEntropy. 0 unless `training`.
  double label_smoothing = 0;
};

// Well-mixed hashes of their arguments. Steps and micro-batches count from 0.
uint64_t DropoutSeed(uint64_t job_seed, int64_t step, int64_t micro_batch);
// For one of the masks of a layer's passes over the micro-batch with that seed,
// see dropout.h.
uint64_t MaskSeed(uint64_t micro_batch_seed, int layer, int mask);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_MICRO_BATCH_H_
