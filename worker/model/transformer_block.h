#ifndef HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_
#define HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/causal_attention.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"
#include "worker/model/linear.h"

namespace hydra {

// GPT-2's block: causal attention and a feed-forward layer, each behind a layer
// norm, with dropout before each residual sum and inside the attention.
//
// Record keeps the results of matrix products and of the attention, the
// residual and the masks: 9 numbers for each one of the input where the
// feed-forward layer is four times as wide. Backward makes the rest again.
//
// The gradients' last bits may depend on the number of threads, because those
// of LibTorch's matrix products do: with two threads, where dropout is inside
// the attention and the context is no multiple of 16.
class TransformerBlock : public Layer {
 public:
  explicit TransformerBlock(const LayerContext& context);

  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  struct Views {
    Tensors parameters;
    Tensors gradients;
    ParameterGradients store;
  };

  // `saved` may be null.
  at::Tensor Compute(const LayerInput& input, Tensors* saved) const;
  // The gradient of the first residual sum.
  at::Tensor FeedForwardBackward(const at::Tensor& output_gradient,
                                 const Views& views, Tensors& saved) const;
  // That of the block's input.
  at::Tensor AttentionBackward(const at::Tensor& residual_gradient,
                               const at::Tensor& input, const Views& views,
                               const AttentionShape& shape,
                               Tensors& saved) const;
  // branch + residual, in place of the branch, of which some is dropped. Sets
  // `dropped` to the mask, if there is one.
  at::Tensor AddResidual(at::Tensor branch, const at::Tensor& residual,
                         bool training, at::Tensor* dropped) const;
  // Gradient of AddResidual's branch.
  at::Tensor BranchGradient(const at::Tensor& gradient,
                            const at::Tensor& dropped) const;
  AttentionShape ShapeOf(const MicroBatch& micro_batch) const;
  bool DrawsRandomNumbers(const MicroBatch& micro_batch) const;

  const ParameterBlock block_;
  const int layer_;
  const int64_t heads_;
  const double epsilon_;
  const double attention_dropout_;
  const double residual_dropout_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_
