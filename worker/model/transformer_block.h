#ifndef HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_
#define HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_

#include "ATen/core/Tensor.h"
#include "worker/model/autograd_layer.h"

namespace hydra {

// GPT-2's block: causal attention and a feed-forward layer, each behind a layer
// norm, with dropout before each residual sum and inside the attention.
//
// Same bits for any number of threads, but for one case: with dropout inside
// the attention and a context that is no multiple of 16, the gradients' last
// bits depend on it, because LibTorch's batched matrix products do.
class TransformerBlock : public AutogradLayer {
 public:
  explicit TransformerBlock(const LayerContext& context);

  Tensors Compute(const Tensors& parameters, const Tensors& inputs,
                  const MicroBatch& micro_batch) const override;

 protected:
  bool DrawsRandomNumbers(const MicroBatch& micro_batch) const override;

 private:
  at::Tensor Attention(const at::Tensor& normalized, const at::Tensor& weight,
                       const at::Tensor& bias, bool training) const;

  const int64_t heads_;
  const double epsilon_;
  const double attention_dropout_;
  const double residual_dropout_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_
