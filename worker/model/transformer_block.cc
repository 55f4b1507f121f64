#include "worker/model/transformer_block.h"

#include "ATen/core/Tensor.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/gelu.h"
#include "ATen/ops/native_dropout.h"
#include "ATen/ops/scaled_dot_product_attention.h"
#include "c10/core/GradMode.h"
#include "common/model/gpt2_table.h"
#include "worker/model/layer_norm.h"

namespace hydra {
namespace {

// TensorViews' order.
enum Parameter {
  kNorm1Weight,
  kNorm1Bias,
  kAttentionWeight,
  kAttentionBias,
  kAttentionOutputWeight,
  kAttentionOutputBias,
  kNorm2Weight,
  kNorm2Bias,
  kExpandWeight,
  kExpandBias,
  kContractWeight,
  kContractBias,
};

constexpr const char* kGeluApproximation = "tanh";

// Keeps one byte for each element for the backward pass.
at::Tensor Dropout(const at::Tensor& input, double probability, bool training) {
  if (!training || probability == 0) return input;
  return std::get<0>(at::native_dropout(input, probability, true));
}

at::Tensor Gelu(at::Tensor input) {
  if (at::GradMode::is_enabled()) return at::gelu(input, kGeluApproximation);
  return at::gelu_(input, kGeluApproximation);
}

// Conv1D: weight is [in, out], input [..., in].
at::Tensor Linear(const at::Tensor& input, const at::Tensor& weight,
                  const at::Tensor& bias) {
  return at::addmm(bias, input.view({-1, weight.size(0)}), weight);
}

}  // namespace

TransformerBlock::TransformerBlock(const LayerContext& context)
    : AutogradLayer(context),
      heads_(static_cast<int64_t>(context.entry.attributes.at(gpt2::kHeads))),
      epsilon_(context.entry.attributes.at(gpt2::kEpsilon)),
      attention_dropout_(context.entry.attributes.at(gpt2::kAttentionDropout)),
      residual_dropout_(context.entry.attributes.at(gpt2::kDropout)) {}

Tensors TransformerBlock::Compute(const Tensors& parameters,
                                  const Tensors& inputs,
                                  const MicroBatch& micro_batch) const {
  const Tensors& p = parameters;
  const at::Tensor& input = inputs.front();
  const bool training = micro_batch.training;

  at::Tensor hidden =
      LayerNorm(input, p[kNorm1Weight], p[kNorm1Bias], epsilon_);
  hidden = Attention(hidden, p[kAttentionWeight], p[kAttentionBias], training);
  hidden = Linear(hidden, p[kAttentionOutputWeight], p[kAttentionOutputBias])
               .view(input.sizes());
  const at::Tensor residual =
      Dropout(hidden, residual_dropout_, training).add_(input);

  hidden = LayerNorm(residual, p[kNorm2Weight], p[kNorm2Bias], epsilon_);
  hidden = Gelu(Linear(hidden, p[kExpandWeight], p[kExpandBias]));
  hidden =
      Linear(hidden, p[kContractWeight], p[kContractBias]).view(input.sizes());
  return {Dropout(hidden, residual_dropout_, training).add_(residual)};
}

at::Tensor TransformerBlock::Attention(const at::Tensor& normalized,
                                       const at::Tensor& weight,
                                       const at::Tensor& bias,
                                       bool training) const {
  const int64_t sequences = normalized.size(0);
  const int64_t context = normalized.size(1);
  const int64_t width = normalized.size(2);
  // [3, sequences, heads, context, width of a head].
  const std::vector<at::Tensor> qkv =
      Linear(normalized, weight, bias)
          .view({sequences, context, 3, heads_, width / heads_})
          .permute({2, 0, 3, 1, 4})
          .unbind(0);
  return at::scaled_dot_product_attention(
             qkv[0], qkv[1], qkv[2], /*attn_mask=*/{},
             training ? attention_dropout_ : 0, /*is_causal=*/true)
      .transpose(1, 2)
      .reshape({sequences, context, width});
}

bool TransformerBlock::DrawsRandomNumbers(const MicroBatch& micro_batch) const {
  return micro_batch.training &&
         (attention_dropout_ > 0 || residual_dropout_ > 0);
}

}  // namespace hydra
