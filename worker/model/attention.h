#ifndef HYDRA_WORKER_MODEL_ATTENTION_H_
#define HYDRA_WORKER_MODEL_ATTENTION_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "worker/model/dropout.h"

namespace hydra {

// Attention of several heads: forward, and backward by hand. Nothing is
// recorded. Works where its tensors are.
//
// Without dropout on a CPU, LibTorch's fused kernels compute it; a window that
// is shorter than the context takes a mask of [context, context] there, and
// lengths one of [sequences, context].
// Elsewhere the scores of all pairs of one sequence's tokens exist at a time,
// twice in the backward pass, which makes them again.
struct AttentionShape {
  int64_t sequences = 0;
  // Tokens of a sequence, or whatever else its rows are.
  int64_t context = 0;
  // Of queries.
  int64_t heads = 0;
  // Of keys and values: divides `heads`, and consecutive heads of queries share
  // one (grouped-query attention, Ainslie et al., arXiv 2305.13245).
  int64_t key_value_heads = 0;
  // Of causal attention: a token looks back at so many, itself included
  // (sliding-window attention, Beltagy et al., arXiv 2004.05150). 0: at all.
  int64_t window = 0;
  // Of the pairs' weights: their places count through [sequences, heads,
  // context, context].
  Dropout dropout;
  // A token looks at those before it and itself; else at all of its sequence.
  bool is_causal = true;
  // Of attention that is not causal: int64 [sequences], from 1 on; no token
  // looks at those behind so many of its sequence. Undefined: there are none.
  at::Tensor lengths = {};
};

// Of each token: [tokens, heads * width of a head] and, of keys and values,
// [tokens, key_value_heads * width of a head]. Rows may be parts of wider ones.
struct QueryKeyValue {
  at::Tensor query;
  at::Tensor key;
  at::Tensor value;
};

struct Attended {
  // [tokens, heads * width of a head].
  at::Tensor output;
  // What the backward pass wants to have back. May be undefined.
  at::Tensor log_sum_exp;
};

Attended Attend(const QueryKeyValue& input, const AttentionShape& shape);

// Turns `input` into its gradient. That of a key or value which heads share is
// the sum of theirs, in the heads' order.
void AttendBackward(const at::Tensor& output_gradient, const Attended& attended,
                    const AttentionShape& shape, const QueryKeyValue& input);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_ATTENTION_H_
