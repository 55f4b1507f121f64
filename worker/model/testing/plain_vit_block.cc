#include "worker/model/testing/plain_vit_block.h"

#include <cmath>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/gelu.h"
#include "ATen/ops/layer_norm.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/softmax.h"
#include "common/model/vit_table.h"
#include "worker/model/dropout.h"

namespace hydra {

PlainVitBlock::PlainVitBlock(const LayerContext& context)
    : AutogradLayer(context),
      entry_(context.entry),
      layer_(context.layer),
      adapters_(context) {}

Tensors PlainVitBlock::Compute(const Tensors& parameters, const Tensors& inputs,
                               const MicroBatch& micro_batch) const {
  const Tensors& p = parameters;
  const at::Tensor& input = inputs.front();
  const int64_t width = input.size(-1);
  const double epsilon = entry_.attributes.at(vit::kEpsilon);
  const bool has_biases = entry_.attributes.at(vit::kHasBiases) != 0;
  const auto heads = static_cast<int64_t>(entry_.attributes.at(vit::kHeads));
  int next = 0;
  const auto norm = [&](const at::Tensor& from) {
    next += 2;
    return at::layer_norm(from, {width}, p[next - 2], p[next - 1], epsilon);
  };
  const auto linear = [&](const at::Tensor& from, bool has_bias) {
    const int weight = next++;
    const at::Tensor rows = from.reshape({-1, p[weight].size(1)});
    at::Tensor mapped = rows.mm(p[weight].t());
    if (has_bias) mapped = mapped + p[next++];
    return adapters_.Add(weight, rows, mapped, p, micro_batch);
  };
  const auto by_head = [&](const at::Tensor& rows) {
    return rows.view({input.size(0), input.size(1), heads, width / heads})
        .transpose(1, 2);
  };
  const auto add = [&](const at::Tensor& branch, VitBlock::Mask mask,
                       const at::Tensor& residual) {
    return DroppedOut(branch.view(input.sizes()), mask, micro_batch) + residual;
  };

  at::Tensor hidden = norm(input);
  const at::Tensor query = by_head(linear(hidden, has_biases));
  const at::Tensor key = by_head(linear(hidden, has_biases));
  const at::Tensor value = by_head(linear(hidden, has_biases));
  const at::Tensor weights =
      at::softmax(query.matmul(key.transpose(2, 3)) /
                      std::sqrt(static_cast<double>(width / heads)),
                  -1);
  hidden = DroppedOut(weights, VitBlock::kPairMask, micro_batch)
               .matmul(value)
               .transpose(1, 2)
               .reshape(input.sizes());
  const at::Tensor residual =
      add(linear(hidden, true), VitBlock::kAttentionMask, input);
  hidden = at::gelu(linear(norm(residual), true));
  return {add(linear(hidden, true), VitBlock::kFeedForwardMask, residual)};
}

at::Tensor PlainVitBlock::DroppedOut(const at::Tensor& tensor,
                                     VitBlock::Mask mask,
                                     const MicroBatch& micro_batch) const {
  if (!micro_batch.training) return tensor;
  const double probability = entry_.attributes.at(
      mask == VitBlock::kPairMask ? vit::kAttentionDropout : vit::kDropout);
  if (probability == 0) return tensor;
  const at::Tensor kept = at::ones(tensor.sizes());
  DropOut(kept, {probability, MaskSeed(micro_batch.seed, layer_, mask)});
  return tensor * kept;
}

}  // namespace hydra
