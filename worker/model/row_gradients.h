#ifndef HYDRA_WORKER_MODEL_ROW_GRADIENTS_H_
#define HYDRA_WORKER_MODEL_ROW_GRADIENTS_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "worker/model/layer.h"

namespace hydra {

// Adds to `to` [last_row - first_row, width] the gradients of the rows
// [first_row, last_row): token after token in their order, so that any ranging
// gives the same bits. `to` is contiguous. For several micro-batches call it
// for each, in order.
//
// The gradient of a tied block is the sum that its other layers made plus the
// sum that this function makes when it starts from zero; adding token by token
// into the other sum rounds differently.
void AddRowGradients(const RowGradients& gradients, int64_t first_row,
                     int64_t last_row, const at::Tensor& to);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_ROW_GRADIENTS_H_
