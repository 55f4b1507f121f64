#ifndef HYDRA_WORKER_MODEL_GATHER_ROWS_H_
#define HYDRA_WORKER_MODEL_GATHER_ROWS_H_

#include "ATen/core/Tensor.h"
#include "worker/model/micro_batch.h"

namespace hydra {

// The rows of a table [rows, width] that a micro-batch's inputs name,
// [sequences, context, width] in fp32, where the inputs are. The table may have
// stayed in host memory.
at::Tensor GatherRows(const at::Tensor& table, const MicroBatch& micro_batch);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_GATHER_ROWS_H_
