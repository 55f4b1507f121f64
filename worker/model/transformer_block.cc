#include "worker/model/transformer_block.h"

#include <utility>

#include "ATen/ATen.h"
#include "c10/core/GradMode.h"
#include "common/model/gpt2_table.h"
#include "worker/model/block_views.h"
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

// A leaf of a new graph in the same memory.
at::Tensor Leaf(const at::Tensor& tensor) {
  return tensor.detach().requires_grad_();
}

}  // namespace

TransformerBlock::TransformerBlock(const LayerEntry& entry,
                                   const ParameterBlock& block, int layer)
    : heads_(static_cast<int64_t>(entry.attributes.at(gpt2::kHeads))),
      epsilon_(entry.attributes.at(gpt2::kEpsilon)),
      attention_dropout_(entry.attributes.at(gpt2::kAttentionDropout)),
      residual_dropout_(entry.attributes.at(gpt2::kDropout)),
      block_(block),
      layer_(layer) {}

at::Tensor TransformerBlock::Forward(const std::vector<at::Tensor>& flats,
                                     const at::Tensor& input,
                                     const MicroBatch& micro_batch) const {
  const at::NoGradGuard no_grad;
  if (DropsOut(micro_batch)) SeedLayer(micro_batch, layer_);
  return Compute(TensorViews(block_, flats.front()), input,
                 micro_batch.training);
}

Tape TransformerBlock::Record(const std::vector<at::Tensor>& flats,
                              const at::Tensor& input,
                              const MicroBatch& micro_batch) const {
  const at::AutoGradMode grad(true);
  Tape tape;
  for (const at::Tensor& view : TensorViews(block_, flats.front())) {
    tape.parameters.push_back(Leaf(view));
  }
  tape.input = Leaf(input);
  if (DropsOut(micro_batch)) SeedLayer(micro_batch, layer_);
  tape.output = Compute(tape.parameters, tape.input, micro_batch.training);
  return tape;
}

at::Tensor TransformerBlock::Backward(
    Tape tape, const at::Tensor& output_gradient,
    const std::vector<at::Tensor>& flat_gradients, bool accumulate) const {
  const at::Tensor& flat_gradient = flat_gradients.front();
  if (!accumulate) flat_gradient.zero_();
  // LibTorch adds a leaf's gradient to what stands here as soon as it is made,
  // so no second copy of the block's gradient ever exists.
  const std::vector<at::Tensor> views = TensorViews(block_, flat_gradient);
  for (size_t i = 0; i < views.size(); ++i) {
    tape.parameters[i].mutable_grad() = views[i];
  }
  std::exchange(tape.output, at::Tensor()).backward(output_gradient);
  return tape.input.grad();
}

at::Tensor TransformerBlock::Compute(const std::vector<at::Tensor>& parameters,
                                     const at::Tensor& input,
                                     bool training) const {
  const std::vector<at::Tensor>& p = parameters;

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
  return Dropout(hidden, residual_dropout_, training).add_(residual);
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

bool TransformerBlock::DropsOut(const MicroBatch& micro_batch) const {
  return micro_batch.training &&
         (attention_dropout_ > 0 || residual_dropout_ > 0);
}

}  // namespace hydra
