#ifndef HYDRA_WORKER_MODEL_DROPOUT_H_
#define HYDRA_WORKER_MODEL_DROPOUT_H_

#include <cstdint>

#include "ATen/core/Tensor.h"

namespace hydra {

// What is dropped is a function of (seed, place) alone: a pass that is repeated
// drops the same, on every device and for any number of threads, and no mask is
// kept.
struct Dropout {
  // From 0 to below 1. 0: nothing is.
  double probability = 0;
  // See MaskSeed.
  uint64_t seed = 0;
};

// In place: what is dropped becomes 0, the rest is multiplied by
// 1 / (1 - probability). The gradient of the result goes the same way to that
// of the input. `tensor` is fp32 and contiguous; `first_place` is its first
// number's, which are counted on from there. Nothing is recorded.
void DropOut(const at::Tensor& tensor, const Dropout& dropout,
             int64_t first_place = 0);

// DropOut in LibTorch's operations, as it goes for a tensor that is not in host
// memory: the same bits.
void DropOutByOperations(const at::Tensor& tensor, const Dropout& dropout,
                         int64_t first_place);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_DROPOUT_H_
