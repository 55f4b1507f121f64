// The layers of Llama and its relatives keep the contract of all layers.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/cross_entropy_loss.h"
#include "ATen/ops/embedding.h"
#include "absl/strings/str_cat.h"
#include "common/model/lora.h"
#include "gtest/gtest.h"
#include "worker/model/known_layers.h"
#include "worker/model/test_models.h"
#include "worker/model/testing/layer_contract.h"
#include "worker/model/testing/plain_llama_block.h"

namespace hydra {
namespace {

constexpr ElementType kBFloat16 = ElementType::kBFloat16;
constexpr ElementType kFloat16 = ElementType::kFloat16;

LayerCase Embedding(int64_t padding_token) {
  LlamaConfig config = TinyLlamaConfig(LlamaFamily::kLlama);
  config.padding_token = padding_token;
  LayerCase embedding;
  embedding.name = padding_token < 0 ? "Embedding" : "EmbeddingWithPadding";
  embedding.table = BuildLlamaTable(config);
  embedding.registry = &KnownLayers();
  embedding.plain = [padding_token](const Tensors& parameters, const Tensors&,
                                    const MicroBatch& batch) -> Tensors {
    return {at::embedding(parameters[0], batch.Inputs(), padding_token)};
  };
  embedding.tolerance = 1e-6;
  // So many tokens that some of them are padding.
  embedding.sequences = 10;
  embedding.context = 30;
  return embedding;
}

LayerCase Block(const std::string& name, ModelTable table, int layer) {
  LayerCase block;
  block.name = name;
  block.table = std::move(table);
  block.layer = layer;
  block.registry = &KnownLayers();
  LayerContext context{block.table.layers[layer], {}, layer};
  for (int used : context.entry.parameter_blocks) {
    context.blocks.push_back(block.table.parameter_blocks[used]);
  }
  const auto plain = std::make_shared<const PlainLlamaBlock>(context);
  block.plain = [plain](const Tensors& parameters, const Tensors& inputs,
                        const MicroBatch& batch) {
    return plain->Compute(parameters, inputs, batch);
  };
  block.tolerance = 2e-6;
  return block;
}

LayerCase Block(const std::string& name, const LlamaConfig& config, int layer) {
  return Block(name, BuildLlamaTable(config), layer);
}

// The case with every block of the model frozen.
LayerCase Frozen(LayerCase layer) {
  layer.name += "Frozen";
  for (ParameterBlock& block : layer.table.parameter_blocks) {
    block.frozen = true;
  }
  return layer;
}

LayerCase Adapted(const std::string& name, const LlamaConfig& config,
                  const LoraConfig& lora) {
  return Block(name, WithLora(BuildLlamaTable(config), lora).value(), 1);
}

// With all logits at once.
LayerCase Head(bool tied) {
  LlamaConfig config = TinyLlamaConfig(LlamaFamily::kLlama);
  config.tie_word_embeddings = tied;
  LayerCase head;
  head.name = tied ? "TiedHead" : "UntiedHead";
  head.table = BuildLlamaTable(config);
  head.layer = head.table.layer_count() - 1;
  head.registry = &KnownLayers();
  head.plain = [config](const Tensors& parameters, const Tensors& inputs,
                        const MicroBatch& batch) -> Tensors {
    const at::Tensor& input = inputs.front();
    const at::Tensor normalized =
        input * (input.square().mean(-1, true) + config.rms_norm_eps).rsqrt() *
        parameters[0];
    const at::Tensor logits =
        normalized.view({-1, input.size(-1)}).mm(parameters[1].t());
    return {at::cross_entropy_loss(logits, batch.Targets().reshape({-1}), {},
                                   at::Reduction::Sum)};
  };
  head.tolerance = 2e-6;
  // Two whole slices of logits and a shorter one.
  head.sequences = 8;
  head.context = 35;
  return head;
}

std::vector<LayerCase> Cases() {
  std::vector<LayerCase> cases = {Embedding(-1), Embedding(3), Head(true),
                                  Head(false)};
  for (double dropout : {0.0, 0.1}) {
    const std::string suffix = dropout > 0 ? "Dropout" : "";
    for (const auto& [name, family] :
         {std::pair<const char*, LlamaFamily>{"Llama", LlamaFamily::kLlama},
          {"Qwen2", LlamaFamily::kQwen2},
          {"Qwen3", LlamaFamily::kQwen3}}) {
      cases.push_back(Block(absl::StrCat(name, suffix),
                            TinyLlamaConfig(family, dropout), 1));
    }
    // The one that has a window.
    cases.push_back(Block(absl::StrCat("Mistral", suffix),
                          TinyLlamaConfig(LlamaFamily::kMistral, dropout), 2));
  }
  cases.push_back(Frozen(Embedding(3)));
  cases.push_back(Frozen(Head(true)));
  cases.push_back(Frozen(Head(false)));
  const LlamaConfig qwen2 = TinyLlamaConfig(LlamaFamily::kQwen2);
  const LlamaConfig qwen3 = TinyLlamaConfig(LlamaFamily::kQwen3, 0.1);
  cases.push_back(Frozen(Block("Qwen2", qwen2, 1)));
  cases.push_back(Adapted("Lora", qwen2, {4, 8}));
  cases.push_back(Adapted("LoraOfRankOne", qwen2, {1, 1, 0, {"down_proj"}}));
  cases.push_back(Adapted("LoraEverywhere", qwen3, {3, 5, 0, {kAllLinear}}));
  cases.push_back(
      Adapted("LoraDropout", qwen3, {3, 5, 0.2, {kAllLinear}, true}));
  cases.push_back(InTwoBytes(Frozen(Embedding(3)), kBFloat16));
  cases.push_back(InTwoBytes(Frozen(Head(true)), kFloat16));
  cases.push_back(InTwoBytes(Frozen(Head(false)), kBFloat16));
  cases.push_back(InTwoBytes(Frozen(Block("Qwen2", qwen2, 1)), kBFloat16));
  cases.push_back(InTwoBytes(Adapted("Lora", qwen2, {4, 8}), kBFloat16));
  cases.push_back(InTwoBytes(
      Adapted("LoraEverywhere", qwen3, {3, 5, 0.2, {kAllLinear}}), kFloat16));
  cases.push_back(InInt8(Frozen(Embedding(3))));
  cases.push_back(InInt8(Frozen(Head(true))));
  cases.push_back(InInt8(Frozen(Head(false))));
  cases.push_back(InInt8(Frozen(Block("Qwen2", qwen2, 1))));
  cases.push_back(
      InInt8(Adapted("LoraEverywhere", qwen3, {3, 5, 0.2, {kAllLinear}})));
  cases.push_back(WithMasters(Embedding(3)));
  cases.push_back(WithMasters(Head(true)));
  cases.push_back(WithMasters(Head(false)));
  cases.push_back(WithMasters(Block("Qwen2", qwen2, 1)));
  cases.push_back(WithMasters(Block("Qwen3", qwen3, 1)));
  cases.push_back(WithRoundedProducts(WithMasters(Block("Qwen2", qwen2, 1))));
  cases.push_back(WithRoundedProducts(Head(true)));
  cases.push_back(WithRoundedProducts(Head(true), kFloat16));
  cases.push_back(WithRoundedProducts(Block("Qwen2", qwen2, 1)));
  cases.push_back(WithRoundedProducts(
      InTwoBytes(Adapted("Lora", qwen2, {4, 8}), kBFloat16)));
  cases.push_back(WithRoundedProducts(
      InTwoBytes(Adapted("Lora", qwen2, {4, 8}), kFloat16), kFloat16));
  const LayerCase block = Block("Qwen2", qwen2, 1);
  cases.push_back(FrozenInPart(block, "FeedForward", {"*.layers.0.mlp.*"}));
  cases.push_back(FrozenInPart(block, "Biases", {"*.layers.0.*.bias"}));
  cases.push_back(FrozenInPart(block, "Weights", {"*.layers.0.*.weight"}));
  cases.push_back(InTwoBytes(cases.back(), kBFloat16));
  cases.push_back(FrozenInPart(Block("Qwen3", qwen3, 1), "HeadNorm",
                               {"*.layers.0.*.q_norm.*"}));
  LlamaConfig scaled = TinyLlamaConfig(LlamaFamily::kLlama);
  scaled.rotary = {1000, RotaryConfig::Type::kLlama3, 8, 1, 4, 16};
  cases.push_back(Block("Llama3Scaling", scaled, 1));
  LlamaConfig one_key = TinyLlamaConfig(LlamaFamily::kLlama);
  one_key.num_key_value_heads = 1;
  cases.push_back(Block("OneKey", one_key, 1));
  LlamaConfig ungrouped = TinyLlamaConfig(LlamaFamily::kLlama);
  ungrouped.num_key_value_heads = 6;
  cases.push_back(Block("Ungrouped", ungrouped, 1));
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Llama, LayerContractTest, testing::ValuesIn(Cases()),
                         LayerCaseName);

}  // namespace
}  // namespace hydra
