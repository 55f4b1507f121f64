#include "worker/model/testing/plain_block.h"

#include <cmath>
#include <limits>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/gelu.h"
#include "ATen/ops/layer_norm.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/scaled_dot_product_attention.h"
#include "ATen/ops/softmax.h"
#include "ATen/ops/stack.h"
#include "common/model/gpt2_table.h"

namespace hydra {

PlainBlock::PlainBlock(const LayerContext& context)
    : AutogradLayer(context), entry_(context.entry) {}

Tensors PlainBlock::Compute(const Tensors& parameters, const Tensors& inputs,
                            const MicroBatch& micro_batch) const {
  const Tensors& p = parameters;
  const at::Tensor& input = inputs.front();
  const int64_t width = input.size(-1);
  const double epsilon = entry_.attributes.at(gpt2::kEpsilon);
  const double dropout = entry_.attributes.at(gpt2::kDropout);
  const bool training = micro_batch.training;
  const auto linear = [](const at::Tensor& rows, const at::Tensor& weight,
                         const at::Tensor& bias) {
    return at::addmm(bias, rows.view({-1, weight.size(0)}), weight);
  };
  const auto add = [&](const at::Tensor& branch, const at::Tensor& residual) {
    return DropOut(branch.view(input.sizes()), dropout, training) + residual;
  };

  at::Tensor hidden = at::layer_norm(input, {width}, p[0], p[1], epsilon);
  hidden = Attention(linear(hidden, p[2], p[3])
                         .view({input.size(0), input.size(1), 3 * width}),
                     training);
  const at::Tensor residual = add(linear(hidden, p[4], p[5]), input);
  hidden = at::layer_norm(residual, {width}, p[6], p[7], epsilon);
  hidden = at::gelu(linear(hidden, p[8], p[9]), "tanh");
  return {add(linear(hidden, p[10], p[11]), residual)};
}

at::Tensor PlainBlock::Attention(const at::Tensor& qkv, bool training) const {
  const int64_t sequences = qkv.size(0);
  const int64_t context = qkv.size(1);
  const int64_t width = qkv.size(2) / 3;
  const auto heads = static_cast<int64_t>(entry_.attributes.at(gpt2::kHeads));
  const double dropout = entry_.attributes.at(gpt2::kAttentionDropout);
  const Tensors parts = qkv.view({sequences, context, 3, heads, width / heads})
                            .permute({2, 0, 3, 1, 4})
                            .unbind(0);
  at::Tensor attended;
  if (!training || dropout == 0) {
    attended = at::scaled_dot_product_attention(
        parts[0], parts[1], parts[2], /*attn_mask=*/{}, /*dropout_p=*/0,
        /*is_causal=*/true);
  } else {
    const at::Tensor later = at::ones({context, context}, at::kBool).triu(1);
    Tensors of_sequences;
    for (int64_t i = 0; i < sequences; ++i) {
      const at::Tensor scores =
          parts[0][i].matmul(parts[1][i].transpose(1, 2)) /
          std::sqrt(static_cast<double>(width / heads));
      const at::Tensor probabilities = at::softmax(
          scores.masked_fill(later, -std::numeric_limits<float>::infinity()),
          -1);
      of_sequences.push_back(
          DropOut(probabilities, dropout, training).matmul(parts[2][i]));
    }
    attended = at::stack(of_sequences);
  }
  return attended.transpose(1, 2).reshape({sequences, context, width});
}

at::Tensor PlainBlock::DropOut(const at::Tensor& tensor, double probability,
                               bool training) const {
  if (!training || probability == 0) return tensor;
  const at::Tensor dropped =
      at::empty(tensor.sizes(), at::kBool).bernoulli_(probability);
  return tensor * dropped.logical_not() * (1 / (1 - probability));
}

bool PlainBlock::DrawsRandomNumbers(const MicroBatch& micro_batch) const {
  return micro_batch.training;
}

}  // namespace hydra
