#ifndef HYDRA_WORKER_MODEL_DROPOUT_H_
#define HYDRA_WORKER_MODEL_DROPOUT_H_

#include "ATen/core/Tensor.h"

namespace hydra {

// Dropout in place. Nothing is recorded.

// Fills `dropped`, a bool tensor, from the process-wide generator: true with
// `probability`.
void DrawDropped(const at::Tensor& dropped, double probability);

// A new mask for a tensor such as `like`: one byte for each number.
at::Tensor DroppedOf(const at::Tensor& like, double probability);

// What is dropped becomes 0, the rest is multiplied by 1 / (1 - probability).
// The gradient of what was dropped goes the same way.
void DropOut(const at::Tensor& tensor, const at::Tensor& dropped,
             double probability);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_DROPOUT_H_
