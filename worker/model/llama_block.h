#ifndef HYDRA_WORKER_MODEL_LLAMA_BLOCK_H_
#define HYDRA_WORKER_MODEL_LLAMA_BLOCK_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "worker/model/attention.h"
#include "worker/model/block_layer.h"
#include "worker/model/layer_registry.h"
#include "worker/model/micro_batch.h"
#include "worker/model/parameter_gradients.h"
#include "worker/model/projection.h"
#include "worker/model/rotary_embedding.h"

namespace hydra {

// The block of Llama, Mistral, Qwen2 and Qwen3: causal attention with rotary
// embeddings, and a feed-forward layer with a gate, each behind an RMS norm.
// What differs between the families are attributes, see llama_table.h.
//
// Record keeps the results of matrix products and of the attention, and the
// residual. Backward makes the rest again.
class LlamaBlock : public BlockLayer {
 public:
  // What is dropped, see MaskSeed.
  enum Mask { kPairMask };

  explicit LlamaBlock(const LayerContext& context);

 private:
  // The block's tensors, or where their gradients go.
  struct Views {
    at::Tensor attention_norm;
    Projection query, key, value;
    // Undefined where heads are not normalized.
    at::Tensor query_norm, key_norm;
    Projection output;
    at::Tensor feed_forward_norm;
    Projection gate, up, down;
  };

  at::Tensor Compute(const at::Tensor& input, const Parameters& parameters,
                     const MicroBatch& micro_batch,
                     Tensors* saved) const override;
  at::Tensor Differentiate(const at::Tensor& output_gradient,
                           const Derivation& derivation) const override;

  Views ViewsOf(Parameters parameters) const;
  // A query or key as the attention wants it: its heads are normalized, if
  // `norm` is defined, and turned. In the memory of `projected` unless they are
  // normalized.
  at::Tensor Positioned(const at::Tensor& projected, const at::Tensor& norm,
                        int64_t context) const;
  // Turns the gradient of Positioned's result into that of `projected`.
  void PositionedBackward(const at::Tensor& projected, const at::Tensor& norm,
                          int64_t context, const ParameterGradients& store,
                          const at::Tensor& norm_gradient,
                          const at::Tensor& gradient) const;
  // The gradient of the first residual sum.
  at::Tensor FeedForwardBackward(const at::Tensor& output_gradient,
                                 const Views& p, const Views& to,
                                 const Derivation& derivation) const;
  // That of the block's input.
  at::Tensor AttentionBackward(const at::Tensor& residual_gradient,
                               const Views& p, const Views& to,
                               const Derivation& derivation) const;
  AttentionShape ShapeOf(const MicroBatch& micro_batch) const;

  const double epsilon_;
  const int64_t heads_;
  const int64_t key_value_heads_;
  const int64_t head_width_;
  const bool has_biases_;
  const bool has_head_norms_;
  const int64_t window_;
  const double attention_dropout_;
  const RotaryEmbedding rotary_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_LLAMA_BLOCK_H_
