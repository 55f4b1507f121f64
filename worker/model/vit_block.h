#ifndef HYDRA_WORKER_MODEL_VIT_BLOCK_H_
#define HYDRA_WORKER_MODEL_VIT_BLOCK_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "worker/model/attention.h"
#include "worker/model/block_layer.h"
#include "worker/model/dropout.h"
#include "worker/model/layer_registry.h"
#include "worker/model/micro_batch.h"
#include "worker/model/projection.h"

namespace hydra {

// ViT's encoder block: attention of each row of an image to all of them, and a
// feed-forward layer, each behind a layer norm, with dropout before each
// residual sum and inside the attention.
//
// Record keeps the results of matrix products and of the attention, and the
// residual. Backward makes the rest again.
class VitBlock : public BlockLayer {
 public:
  // What is dropped, see MaskSeed: pairs of the attention, and each branch
  // before its residual sum.
  enum Mask { kPairMask, kAttentionMask, kFeedForwardMask };

  explicit VitBlock(const LayerContext& context);

 private:
  // The block's tensors, or where their gradients go.
  struct Views {
    at::Tensor norm_1_weight, norm_1_bias;
    Projection query, key, value, attention_output;
    at::Tensor norm_2_weight, norm_2_bias;
    Projection expand, contract;
  };

  at::Tensor Compute(const at::Tensor& input, const Parameters& parameters,
                     const MicroBatch& micro_batch,
                     Tensors* saved) const override;
  at::Tensor Differentiate(const at::Tensor& output_gradient,
                           const Derivation& derivation) const override;

  Views ViewsOf(Parameters parameters) const;
  // The gradient of the first residual sum.
  at::Tensor FeedForwardBackward(const at::Tensor& output_gradient,
                                 const Views& p, const Views& to,
                                 const Derivation& derivation) const;
  // That of the block's input.
  at::Tensor AttentionBackward(const at::Tensor& residual_gradient,
                               const Views& p, const Views& to,
                               const Derivation& derivation) const;
  AttentionShape ShapeOf(const MicroBatch& micro_batch) const;
  Dropout DropoutOf(Mask mask, const MicroBatch& micro_batch) const;

  // Of an image.
  const int64_t rows_;
  const int64_t heads_;
  const bool has_biases_;
  const double epsilon_;
  const double attention_dropout_;
  const double residual_dropout_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_VIT_BLOCK_H_
