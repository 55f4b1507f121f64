#include "worker/model/testing/plain_block.h"

#include <cmath>
#include <limits>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/gelu.h"
#include "ATen/ops/layer_norm.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/scaled_dot_product_attention.h"
#include "ATen/ops/softmax.h"
#include "common/model/gpt2_table.h"
#include "worker/model/dropout.h"

namespace hydra {

PlainBlock::PlainBlock(const LayerContext& context)
    : AutogradLayer(context),
      entry_(context.entry),
      layer_(context.layer),
      adapters_(context) {}

Tensors PlainBlock::Compute(const Tensors& parameters, const Tensors& inputs,
                            const MicroBatch& micro_batch) const {
  const Tensors& p = parameters;
  const at::Tensor& input = inputs.front();
  const int64_t width = input.size(-1);
  const double epsilon = entry_.attributes.at(gpt2::kEpsilon);
  const auto linear = [&](const at::Tensor& from, int weight) {
    const at::Tensor rows = from.view({-1, p[weight].size(0)});
    return adapters_.Add(weight, rows,
                         at::addmm(p[weight + 1], rows, p[weight]), p,
                         micro_batch);
  };
  const auto add = [&](const at::Tensor& branch, TransformerBlock::Mask mask,
                       const at::Tensor& residual) {
    return DroppedOut(branch, mask, micro_batch).view(input.sizes()) + residual;
  };

  at::Tensor hidden = at::layer_norm(input, {width}, p[0], p[1], epsilon);
  hidden = Attention(
      linear(hidden, 2).view({input.size(0), input.size(1), 3 * width}),
      micro_batch);
  const at::Tensor residual =
      add(linear(hidden, 4), TransformerBlock::kAttentionMask, input);
  hidden = at::layer_norm(residual, {width}, p[6], p[7], epsilon);
  hidden = at::gelu(linear(hidden, 8), "tanh");
  return {
      add(linear(hidden, 10), TransformerBlock::kFeedForwardMask, residual)};
}

at::Tensor PlainBlock::Attention(const at::Tensor& qkv,
                                 const MicroBatch& micro_batch) const {
  const int64_t sequences = qkv.size(0);
  const int64_t context = qkv.size(1);
  const int64_t width = qkv.size(2) / 3;
  const auto heads = static_cast<int64_t>(entry_.attributes.at(gpt2::kHeads));
  const Tensors parts = qkv.view({sequences, context, 3, heads, width / heads})
                            .permute({2, 0, 3, 1, 4})
                            .unbind(0);
  if (!micro_batch.training ||
      entry_.attributes.at(gpt2::kAttentionDropout) == 0) {
    return at::scaled_dot_product_attention(parts[0], parts[1], parts[2],
                                            /*attn_mask=*/{}, /*dropout_p=*/0,
                                            /*is_causal=*/true)
        .transpose(1, 2)
        .reshape({sequences, context, width});
  }
  const at::Tensor later = at::ones({context, context}, at::kBool).triu(1);
  const at::Tensor scores = parts[0].matmul(parts[1].transpose(2, 3)) /
                            std::sqrt(static_cast<double>(width / heads));
  const at::Tensor weights = at::softmax(
      scores.masked_fill(later, -std::numeric_limits<float>::infinity()), -1);
  return DroppedOut(weights, TransformerBlock::kPairMask, micro_batch)
      .matmul(parts[2])
      .transpose(1, 2)
      .reshape({sequences, context, width});
}

at::Tensor PlainBlock::DroppedOut(const at::Tensor& tensor,
                                  TransformerBlock::Mask mask,
                                  const MicroBatch& micro_batch) const {
  if (!micro_batch.training) return tensor;
  const double probability = entry_.attributes.at(
      mask == TransformerBlock::kPairMask ? gpt2::kAttentionDropout
                                          : gpt2::kDropout);
  if (probability == 0) return tensor;
  const at::Tensor kept = at::ones(tensor.sizes());
  DropOut(kept, {probability, MaskSeed(micro_batch.seed, layer_, mask)});
  return tensor * kept;
}

}  // namespace hydra
