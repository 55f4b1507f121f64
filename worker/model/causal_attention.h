#ifndef HYDRA_WORKER_MODEL_CAUSAL_ATTENTION_H_
#define HYDRA_WORKER_MODEL_CAUSAL_ATTENTION_H_

#include <cstdint>

#include "ATen/core/Tensor.h"

namespace hydra {

// Causal attention of several heads: forward, and backward by hand. Nothing is
// recorded. Works where its tensors are.
//
// Without dropout on a CPU, LibTorch's fused kernels compute it: no score of a
// pair of tokens is kept. Elsewhere the scores of one sequence exist at a time,
// twice in the backward pass, which makes them again; kept is one byte for each
// pair, if dropout is on.
struct AttentionShape {
  int64_t sequences = 0;
  int64_t context = 0;
  int64_t heads = 0;
  // Of a pair of tokens.
  double dropout = 0;
};

// What the forward pass leaves for the backward one, beside its input and its
// output. Some of it stays undefined.
struct AttentionTape {
  at::Tensor log_sum_exp;
  // bool [sequences, heads, context, context].
  at::Tensor dropped;
};

// `qkv` has query, key and value of each token, [tokens, 3 * width]. Returns
// [tokens, width]. Draws from the process-wide generator if dropout is on.
// `tape` may be null.
at::Tensor CausalAttention(const at::Tensor& qkv, const AttentionShape& shape,
                           AttentionTape* tape);

// Turns `qkv` into its gradient. `output` is what CausalAttention returned.
void CausalAttentionBackward(const at::Tensor& output_gradient,
                             const at::Tensor& output,
                             const AttentionShape& shape,
                             const AttentionTape& tape, const at::Tensor& qkv);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_CAUSAL_ATTENTION_H_
