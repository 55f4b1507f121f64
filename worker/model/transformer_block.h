#ifndef HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_
#define HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_

#include <vector>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/layer.h"

namespace hydra {

// GPT-2's block: causal attention and a feed-forward layer, each behind a layer
// norm, with dropout before each residual sum and inside the attention.
//
// Same bits for any number of threads, but for one case: with dropout inside
// the attention and a context that is no multiple of 16, the gradients' last
// bits depend on it, because LibTorch's batched matrix products do.
class TransformerBlock : public ChainLayer {
 public:
  // `block` holds its parameters; `layer` is its place in the chain.
  TransformerBlock(const LayerEntry& entry, const ParameterBlock& block,
                   int layer);

  at::Tensor Forward(const std::vector<at::Tensor>& flats,
                     const at::Tensor& input,
                     const MicroBatch& micro_batch) const override;
  Tape Record(const std::vector<at::Tensor>& flats, const at::Tensor& input,
              const MicroBatch& micro_batch) const override;
  at::Tensor Backward(Tape tape, const at::Tensor& output_gradient,
                      const std::vector<at::Tensor>& flat_gradients,
                      bool accumulate) const override;

  // The arithmetic alone; `parameters` are TensorViews of the block. Draws from
  // the process-wide generator if it drops out.
  at::Tensor Compute(const std::vector<at::Tensor>& parameters,
                     const at::Tensor& input, bool training) const;

 private:
  bool DropsOut(const MicroBatch& micro_batch) const;
  at::Tensor Attention(const at::Tensor& normalized, const at::Tensor& weight,
                       const at::Tensor& bias, bool training) const;

  const int64_t heads_;
  const double epsilon_;
  const double attention_dropout_;
  const double residual_dropout_;
  const ParameterBlock block_;
  const int layer_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_
