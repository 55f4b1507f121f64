#ifndef HYDRA_WORKER_MODEL_BERT_BLOCK_H_
#define HYDRA_WORKER_MODEL_BERT_BLOCK_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "worker/model/attention.h"
#include "worker/model/block_layer.h"
#include "worker/model/dropout.h"
#include "worker/model/layer_registry.h"
#include "worker/model/micro_batch.h"
#include "worker/model/projection.h"

namespace hydra {

// BERT's encoder block: attention of each token of a sequence to all that are
// there, and a feed-forward layer, with a layer norm behind each residual sum,
// and dropout before it and inside the attention.
//
// Record keeps the results of matrix products and of the attention, and both
// residual sums. Backward makes the rest again.
class BertBlock : public BlockLayer {
 public:
  // What is dropped, see MaskSeed: pairs of the attention, and each branch
  // before its residual sum.
  enum Mask { kPairMask, kAttentionMask, kFeedForwardMask };

  explicit BertBlock(const LayerContext& context);

 private:
  // The block's tensors, or where their gradients go.
  struct Views {
    Projection query, key, value, attention_output;
    at::Tensor norm_1_weight, norm_1_bias;
    Projection expand, contract;
    at::Tensor norm_2_weight, norm_2_bias;
  };

  at::Tensor Compute(const at::Tensor& input, const Parameters& parameters,
                     const MicroBatch& micro_batch,
                     Tensors* saved) const override;
  at::Tensor Differentiate(const at::Tensor& output_gradient,
                           const Derivation& derivation) const override;

  static Views ViewsOf(Parameters parameters);
  // The gradient of the first norm's output.
  at::Tensor FeedForwardBackward(const at::Tensor& output_gradient,
                                 const Views& p, const Views& to,
                                 const Derivation& derivation) const;
  // That of the block's input.
  at::Tensor AttentionBackward(at::Tensor normalized_gradient, const Views& p,
                               const Views& to,
                               const Derivation& derivation) const;
  AttentionShape ShapeOf(const MicroBatch& micro_batch) const;
  Dropout DropoutOf(Mask mask, const MicroBatch& micro_batch) const;

  const int64_t heads_;
  const double epsilon_;
  const double attention_dropout_;
  const double residual_dropout_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_BERT_BLOCK_H_
