#include "worker/model/testing/plain_llama_block.h"

#include <cmath>
#include <limits>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/linear.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/silu.h"
#include "ATen/ops/softmax.h"
#include "ATen/ops/tensor.h"
#include "common/model/llama_table.h"
#include "worker/model/dropout.h"
#include "worker/model/llama_block.h"

namespace hydra {

PlainLlamaBlock::PlainLlamaBlock(const LayerContext& context)
    : AutogradLayer(context),
      entry_(context.entry),
      layer_(context.layer),
      adapters_(context) {}

Tensors PlainLlamaBlock::Compute(const Tensors& parameters,
                                 const Tensors& inputs,
                                 const MicroBatch& micro_batch) const {
  auto next = parameters.begin();
  const at::Tensor& input = inputs.front();
  const auto projected = [&](const at::Tensor& from, bool has_bias) {
    const int number = static_cast<int>(next - parameters.begin());
    const at::Tensor& weight = *next++;
    return adapters_.Add(
        number, from,
        at::linear(from, weight, has_bias ? *next++ : at::Tensor()), parameters,
        micro_batch);
  };
  const bool has_biases = Integer(llama::kHasBiases) != 0;
  at::Tensor hidden = Normalized(input, *next++);
  at::Tensor query = ByHead(projected(hidden, has_biases));
  at::Tensor key = ByHead(projected(hidden, has_biases));
  const at::Tensor value = ByHead(projected(hidden, has_biases));
  if (Integer(llama::kHasHeadNorms) != 0) {
    query = Normalized(query, *next++);
    key = Normalized(key, *next++);
  }
  hidden = Attention(Rotated(query), Rotated(key), value, micro_batch);
  const at::Tensor residual = projected(hidden, false) + input;
  hidden = Normalized(residual, *next++);
  const at::Tensor gate = projected(hidden, false);
  const at::Tensor up = projected(hidden, false);
  return {projected(at::silu(gate) * up, false) + residual};
}

at::Tensor PlainLlamaBlock::Normalized(const at::Tensor& input,
                                       const at::Tensor& weight) const {
  const double epsilon = entry_.attributes.at(llama::kEpsilon);
  return input * (input.square().mean(-1, true) + epsilon).rsqrt() * weight;
}

at::Tensor PlainLlamaBlock::ByHead(const at::Tensor& projected) const {
  const int64_t width = Integer(llama::kHeadWidth);
  return projected.view({projected.size(0), projected.size(1), -1, width})
      .transpose(1, 2);
}

// As transformers writes it: x cos + rotate_half(x) sin.
at::Tensor PlainLlamaBlock::Rotated(const at::Tensor& heads) const {
  const std::vector<float> frequencies = RotaryFrequencies(
      RotaryOf(entry_.attributes), Integer(llama::kHeadWidth));
  const at::Tensor places = at::arange(heads.size(2), at::kFloat).unsqueeze(1);
  const at::Tensor angles = places * at::tensor(frequencies).unsqueeze(0);
  const at::Tensor both = at::cat({angles, angles}, -1);
  const Tensors halves = heads.chunk(2, -1);
  return heads * both.cos() + at::cat({-halves[1], halves[0]}, -1) * both.sin();
}

at::Tensor PlainLlamaBlock::Attention(const at::Tensor& query,
                                      const at::Tensor& key,
                                      const at::Tensor& value,
                                      const MicroBatch& micro_batch) const {
  const int64_t context = query.size(2);
  const int64_t group = query.size(1) / key.size(1);
  const int64_t window = Integer(llama::kWindow);
  const at::Tensor all = at::ones({context, context}, at::kBool);
  at::Tensor hidden = all.triu(1);
  if (window > 0) hidden = hidden.logical_or(all.tril(-window));
  const at::Tensor scores =
      query.matmul(key.repeat_interleave(group, 1).transpose(2, 3)) /
      std::sqrt(static_cast<double>(query.size(3)));
  at::Tensor weights = at::softmax(
      scores.masked_fill(hidden, -std::numeric_limits<float>::infinity()), -1);
  const double dropout = entry_.attributes.at(llama::kAttentionDropout);
  if (micro_batch.training && dropout > 0) {
    const at::Tensor kept = at::ones(weights.sizes());
    DropOut(kept, {dropout,
                   MaskSeed(micro_batch.seed, layer_, LlamaBlock::kPairMask)});
    weights = weights * kept;
  }
  return weights.matmul(value.repeat_interleave(group, 1))
      .transpose(1, 2)
      .reshape({query.size(0), context, -1});
}

int64_t PlainLlamaBlock::Integer(const char* attribute) const {
  return static_cast<int64_t>(entry_.attributes.at(attribute));
}

}  // namespace hydra
