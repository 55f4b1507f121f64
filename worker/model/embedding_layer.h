#ifndef HYDRA_WORKER_MODEL_EMBEDDING_LAYER_H_
#define HYDRA_WORKER_MODEL_EMBEDDING_LAYER_H_

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/micro_batch.h"

namespace hydra {

// The chain's first layer: token rows plus position rows, then dropout.
// Immutable; the rules of ChainLayer hold.
class EmbeddingLayer {
 public:
  // `position_block` is the flat block of the position table; `layer` is its
  // place in the chain.
  EmbeddingLayer(const LayerEntry& entry, const ParameterBlock& position_block,
                 int layer);

  // [sequences, context, width]. `token_table` is [vocab, width] and may be
  // memory that is not the device's: only the rows in use are read.
  at::Tensor Forward(const at::Tensor& token_table,
                     const at::Tensor& flat_positions,
                     const MicroBatch& micro_batch) const;

  // The gradient before dropout, [sequences, context, width], for
  // AddTokenRowGradients. Adds the positions' gradient to
  // `flat_position_gradient`; unless `accumulate`, what that held is
  // overwritten, padding included. Records nothing: the mask is drawn again.
  // May return `output_gradient` itself.
  at::Tensor Backward(const at::Tensor& output_gradient,
                      const at::Tensor& flat_position_gradient, bool accumulate,
                      const MicroBatch& micro_batch) const;

 private:
  bool DropsOut(const MicroBatch& micro_batch) const;

  ParameterBlock position_block_;
  double dropout_;
  int layer_;
};

// Adds to `rows_gradient` [last_row - first_row, width] the gradients of the
// token table's rows [first_row, last_row): token after token in the order of
// `tokens` (int64 [sequences, context]), so that any ranging gives the same
// bits. `rows_gradient` is contiguous; `sum_gradient` is Backward's. For
// several micro-batches call it for each, in order.
//
// A tied table's gradient is the head's part plus the sum that this function
// makes when it starts from zero; adding token by token into the head's part
// rounds differently.
void AddTokenRowGradients(const at::Tensor& tokens,
                          const at::Tensor& sum_gradient, int64_t first_row,
                          int64_t last_row, const at::Tensor& rows_gradient);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_EMBEDDING_LAYER_H_
