#ifndef HYDRA_WORKER_MODEL_CAUSAL_ATTENTION_H_
#define HYDRA_WORKER_MODEL_CAUSAL_ATTENTION_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "worker/model/dropout.h"

namespace hydra {

// Causal attention of several heads: forward, and backward by hand. Nothing is
// recorded. Works where its tensors are.
//
// Without dropout on a CPU, LibTorch's fused kernels compute it. Elsewhere the
// scores of all pairs of one sequence's tokens exist at a time, twice in the
// backward pass, which makes them again.
struct AttentionShape {
  int64_t sequences = 0;
  int64_t context = 0;
  int64_t heads = 0;
  // Of the pairs' weights: their places count through [sequences, heads,
  // context, context].
  Dropout dropout;
};

struct Attended {
  // [tokens, width].
  at::Tensor output;
  // What the backward pass wants to have back. May be undefined.
  at::Tensor log_sum_exp;
};

// `qkv` has query, key and value of each token, [tokens, 3 * width].
Attended CausalAttention(const at::Tensor& qkv, const AttentionShape& shape);

// Turns `qkv` into its gradient.
void CausalAttentionBackward(const at::Tensor& output_gradient,
                             const Attended& attended,
                             const AttentionShape& shape,
                             const at::Tensor& qkv);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_CAUSAL_ATTENTION_H_
