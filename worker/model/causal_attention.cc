#include "worker/model/causal_attention.h"

#include <cmath>
#include <limits>

#include "ATen/core/Tensor.h"
#include "ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h"
#include "ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h"
#include "ATen/ops/_softmax.h"
#include "ATen/ops/baddbmm.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/ones.h"
#include "c10/core/GradMode.h"

namespace hydra {
namespace {

bool IsFused(const at::Tensor& qkv, const AttentionShape& shape) {
  return qkv.device().is_cpu() && shape.dropout.probability == 0;
}

// [tokens, n * width] as [n, sequences, heads, context, width of a head].
at::Tensor ByHead(const at::Tensor& rows, int64_t n,
                  const AttentionShape& shape) {
  return rows
      .view({shape.sequences, shape.context, n, shape.heads,
             rows.size(1) / (n * shape.heads)})
      .permute({2, 0, 3, 1, 4});
}

// `to` becomes factor * a b, matrix by matrix.
void Multiply(const at::Tensor& a, const at::Tensor& b, double factor,
              at::Tensor& to) {
  at::baddbmm_out(to, to, a, b, /*beta=*/0, factor);
}

// Turns the gradient of the weights into that of the scores. (LibTorch's own
// gives other bits with one thread than with several where the context is above
// 16 and no multiple of it.)
void SoftmaxBackward(const at::Tensor& weights, const at::Tensor& gradient) {
  gradient.mul_(weights);
  gradient.addcmul_(weights, gradient.sum(/*dim=*/-1, /*keepdim=*/true),
                    /*value=*/-1);
}

// The scores of one sequence's pairs of tokens, and what follows from them.
// The tensors of a sequence are [heads, context, width of a head].
class Scores {
 public:
  Scores(const at::Tensor& qkv, const AttentionShape& shape)
      : dropout_(shape.dropout),
        qkv_(ByHead(qkv, 3, shape)),
        scale_(1 / std::sqrt(static_cast<double>(qkv_.size(-1)))),
        later_(at::ones({shape.context, shape.context},
                        qkv.options().dtype(at::kBool))
                   .triu_(1)),
        weights_(at::empty({shape.heads, shape.context, shape.context},
                           qkv.options())) {}

  at::Tensor query(int64_t sequence) const { return qkv_[0][sequence]; }
  at::Tensor key(int64_t sequence) const { return qkv_[1][sequence]; }
  at::Tensor value(int64_t sequence) const { return qkv_[2][sequence]; }
  double scale() const { return scale_; }

  // What each pair weighs before dropout. Valid until the next call.
  at::Tensor& Weights(int64_t sequence) {
    Multiply(query(sequence), key(sequence).transpose(1, 2), scale_, weights_);
    weights_.masked_fill_(later_, -std::numeric_limits<float>::infinity());
    at::_softmax_out(weights_, weights_, /*dim=*/-1, /*half_to_float=*/false);
    return weights_;
  }

  // Of the weights, or of their gradient.
  void DropOut(int64_t sequence, const at::Tensor& weights) const {
    hydra::DropOut(weights, dropout_, sequence * weights.numel());
  }

 private:
  const Dropout dropout_;
  const at::Tensor qkv_;
  const double scale_;
  // True where the second token of a pair comes behind the first one.
  const at::Tensor later_;
  at::Tensor weights_;
};

at::Tensor ForwardByScores(const at::Tensor& qkv, const AttentionShape& shape) {
  const at::Tensor output =
      at::empty({qkv.size(0), qkv.size(1) / 3}, qkv.options());
  const at::Tensor outputs = ByHead(output, 1, shape)[0];
  Scores scores(qkv, shape);
  at::Tensor attended = at::empty(outputs[0].sizes(), qkv.options());
  for (int64_t i = 0; i < shape.sequences; ++i) {
    const at::Tensor& weights = scores.Weights(i);
    scores.DropOut(i, weights);
    Multiply(weights, scores.value(i), 1, attended);
    outputs[i].copy_(attended);
  }
  return output;
}

void BackwardByScores(const at::Tensor& output_gradient,
                      const AttentionShape& shape, const at::Tensor& qkv) {
  const at::Tensor gradients = ByHead(output_gradient, 1, shape)[0];
  const at::Tensor parts = ByHead(qkv, 3, shape);
  Scores scores(qkv, shape);
  const at::Tensor made = at::empty(parts.select(1, 0).sizes(), qkv.options());
  at::Tensor query = made[0], key = made[1], value = made[2];
  at::Tensor gradient;
  for (int64_t i = 0; i < shape.sequences; ++i) {
    const at::Tensor& weights = scores.Weights(i);
    if (i == 0) gradient = at::empty_like(weights);
    gradient.copy_(weights);
    scores.DropOut(i, gradient);
    Multiply(gradient.transpose(1, 2), gradients[i], 1, value);
    Multiply(gradients[i], scores.value(i).transpose(1, 2), 1, gradient);
    scores.DropOut(i, gradient);
    SoftmaxBackward(weights, gradient);
    Multiply(gradient, scores.key(i), scores.scale(), query);
    Multiply(gradient.transpose(1, 2), scores.query(i), scores.scale(), key);
    parts.select(1, i).copy_(made);
  }
}

}  // namespace

Attended CausalAttention(const at::Tensor& qkv, const AttentionShape& shape) {
  const at::NoGradGuard no_grad;
  if (!IsFused(qkv, shape)) return {ForwardByScores(qkv, shape), {}};
  const at::Tensor parts = ByHead(qkv, 3, shape);
  const auto [output, log_sum_exp] =
      at::_scaled_dot_product_flash_attention_for_cpu(
          parts[0], parts[1], parts[2], /*dropout_p=*/0, /*is_causal=*/true);
  return {output.transpose(1, 2).reshape({qkv.size(0), qkv.size(1) / 3}),
          log_sum_exp};
}

void CausalAttentionBackward(const at::Tensor& output_gradient,
                             const Attended& attended,
                             const AttentionShape& shape,
                             const at::Tensor& qkv) {
  const at::NoGradGuard no_grad;
  if (!IsFused(qkv, shape)) {
    BackwardByScores(output_gradient, shape, qkv);
    return;
  }
  const at::Tensor parts = ByHead(qkv, 3, shape);
  const auto [query, key, value] =
      at::_scaled_dot_product_flash_attention_for_cpu_backward(
          ByHead(output_gradient, 1, shape)[0], parts[0], parts[1], parts[2],
          ByHead(attended.output, 1, shape)[0], attended.log_sum_exp,
          /*dropout_p=*/0, /*is_causal=*/true);
  parts[0].copy_(query);
  parts[1].copy_(key);
  parts[2].copy_(value);
}

}  // namespace hydra
