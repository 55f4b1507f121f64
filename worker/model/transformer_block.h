#ifndef HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_
#define HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/causal_attention.h"
#include "worker/model/dropout.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"
#include "worker/model/linear.h"

namespace hydra {

// GPT-2's block: causal attention and a feed-forward layer, each behind a layer
// norm, with dropout before each residual sum and inside the attention.
//
// Record keeps the results of matrix products and of the attention, and the
// residual: 9 numbers for each one of the input where the feed-forward layer is
// four times as wide. Backward makes the rest again.
class TransformerBlock : public Layer {
 public:
  // What is dropped, see MaskSeed: pairs of the attention, and each branch
  // before its residual sum.
  enum Mask { kPairMask, kAttentionMask, kFeedForwardMask };

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
                                 const Views& views, Tape& tape) const;
  // That of the block's input.
  at::Tensor AttentionBackward(const at::Tensor& residual_gradient,
                               const Views& views, Tape& tape) const;
  AttentionShape ShapeOf(const MicroBatch& micro_batch) const;
  Dropout DropoutOf(Mask mask, const MicroBatch& micro_batch) const;

  const ParameterBlock block_;
  const int layer_;
  const int64_t heads_;
  const double epsilon_;
  const double attention_dropout_;
  const double residual_dropout_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TRANSFORMER_BLOCK_H_
