#ifndef HYDRA_WORKER_MODEL_LLAMA_BLOCK_H_
#define HYDRA_WORKER_MODEL_LLAMA_BLOCK_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/causal_attention.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"
#include "worker/model/linear.h"
#include "worker/model/projection.h"
#include "worker/model/rotary_embedding.h"

namespace hydra {

// The block of Llama, Mistral, Qwen2 and Qwen3: causal attention with rotary
// embeddings, and a feed-forward layer with a gate, each behind an RMS norm.
// What differs between the families are attributes, see llama_table.h.
//
// Record keeps the results of matrix products and of the attention, and the
// residual. Backward makes the rest again.
class LlamaBlock : public Layer {
 public:
  // What is dropped, see MaskSeed.
  enum Mask { kPairMask };

  explicit LlamaBlock(const LayerContext& context);

  LayerOutput Forward(const LayerInput& input) const override;
  Tape Record(const LayerInput& input) const override;
  LayerGradients Backward(Tape tape, const Tensors& output_gradients,
                          const Tensors& flat_gradients,
                          bool accumulate) const override;

 private:
  // The block's tensors in a flat of parameters or of gradients.
  struct Views {
    at::Tensor attention_norm;
    Projection query, key, value;
    // Undefined where heads are not normalized.
    at::Tensor query_norm, key_norm;
    Projection output;
    at::Tensor feed_forward_norm;
    Projection gate, up, down;
  };

  Views ViewsOf(const at::Tensor& flat) const;
  // `saved` may be null.
  at::Tensor Compute(const LayerInput& input, Tensors* saved) const;
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
                                 const ParameterGradients& store,
                                 Tape& tape) const;
  // That of the block's input.
  at::Tensor AttentionBackward(const at::Tensor& residual_gradient,
                               const Views& p, const Views& to,
                               const ParameterGradients& store,
                               Tape& tape) const;
  AttentionShape ShapeOf(const MicroBatch& micro_batch) const;

  const ParameterBlock block_;
  const int layer_;
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
