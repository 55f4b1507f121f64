#include "worker/model/testing/plain_bert_block.h"

#include <cmath>
#include <limits>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/gelu.h"
#include "ATen/ops/layer_norm.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/softmax.h"
#include "common/model/bert_table.h"
#include "worker/model/dropout.h"

namespace hydra {

PlainBertBlock::PlainBertBlock(const LayerContext& context)
    : AutogradLayer(context),
      entry_(context.entry),
      layer_(context.layer),
      adapters_(context) {}

Tensors PlainBertBlock::Compute(const Tensors& parameters,
                                const Tensors& inputs,
                                const MicroBatch& micro_batch) const {
  const Tensors& p = parameters;
  const at::Tensor& input = inputs[0];
  const at::Tensor& lengths = inputs[1];
  const int64_t width = input.size(-1);
  const double epsilon = entry_.attributes.at(bert::kEpsilon);
  const auto heads = static_cast<int64_t>(entry_.attributes.at(bert::kHeads));
  int next = 0;
  const auto norm = [&](const at::Tensor& from) {
    next += 2;
    return at::layer_norm(from, {width}, p[next - 2], p[next - 1], epsilon);
  };
  const auto linear = [&](const at::Tensor& from) {
    const int weight = next;
    next += 2;
    const at::Tensor rows = from.reshape({-1, p[weight].size(1)});
    const at::Tensor mapped = rows.mm(p[weight].t()) + p[weight + 1];
    return adapters_.Add(weight, rows, mapped, p, micro_batch);
  };
  const auto by_head = [&](const at::Tensor& rows) {
    return rows.view({input.size(0), input.size(1), heads, width / heads})
        .transpose(1, 2);
  };
  const auto add = [&](const at::Tensor& branch, BertBlock::Mask mask,
                       const at::Tensor& residual) {
    return DroppedOut(branch.view(input.sizes()), mask, micro_batch) + residual;
  };

  const at::Tensor query = by_head(linear(input));
  const at::Tensor key = by_head(linear(input));
  const at::Tensor value = by_head(linear(input));
  const at::Tensor padded = at::arange(input.size(1), lengths.options())
                                .ge(lengths.view({-1, 1, 1, 1}));
  const at::Tensor weights = at::softmax(
      (query.matmul(key.transpose(2, 3)) /
       std::sqrt(static_cast<double>(width / heads)))
          .masked_fill(padded, -std::numeric_limits<float>::infinity()),
      -1);
  at::Tensor hidden = DroppedOut(weights, BertBlock::kPairMask, micro_batch)
                          .matmul(value)
                          .transpose(1, 2)
                          .reshape(input.sizes());
  const at::Tensor residual =
      norm(add(linear(hidden), BertBlock::kAttentionMask, input));
  hidden = at::gelu(linear(residual));
  return {norm(add(linear(hidden), BertBlock::kFeedForwardMask, residual)),
          lengths};
}

at::Tensor PlainBertBlock::DroppedOut(const at::Tensor& tensor,
                                      BertBlock::Mask mask,
                                      const MicroBatch& micro_batch) const {
  if (!micro_batch.training) return tensor;
  const double probability = entry_.attributes.at(
      mask == BertBlock::kPairMask ? bert::kAttentionDropout : bert::kDropout);
  if (probability == 0) return tensor;
  const at::Tensor kept = at::ones(tensor.sizes());
  DropOut(kept, {probability, MaskSeed(micro_batch.seed, layer_, mask)});
  return tensor * kept;
}

}  // namespace hydra
