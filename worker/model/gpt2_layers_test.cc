// GPT-2's layers keep the contract of all layers.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/cross_entropy_loss.h"
#include "ATen/ops/embedding.h"
#include "ATen/ops/layer_norm.h"
#include "ATen/ops/ones.h"
#include "absl/strings/str_cat.h"
#include "common/model/lora.h"
#include "gtest/gtest.h"
#include "worker/model/dropout.h"
#include "worker/model/known_layers.h"
#include "worker/model/test_models.h"
#include "worker/model/testing/layer_contract.h"
#include "worker/model/testing/plain_block.h"

namespace hydra {
namespace {

Tensors PlainEmbedding(double dropout, const Tensors& parameters,
                       const MicroBatch& batch) {
  const at::Tensor sum = at::embedding(parameters[0], batch.Inputs()) +
                         parameters[1].narrow(0, 0, batch.context());
  if (dropout == 0) return {sum};
  const at::Tensor kept = at::ones(sum.sizes());
  DropOut(kept, {dropout, MaskSeed(batch.seed, /*layer=*/0, /*mask=*/0)});
  return {sum * kept};
}

// With all logits at once.
Tensors PlainHead(double epsilon, const Tensors& parameters,
                  const at::Tensor& input, const MicroBatch& batch) {
  const int64_t width = input.size(-1);
  const at::Tensor normalized =
      at::layer_norm(input, {width}, parameters[0], parameters[1], epsilon);
  const at::Tensor logits = normalized.view({-1, width}).mm(parameters[2].t());
  return {at::cross_entropy_loss(logits, batch.Targets().reshape({-1}), {},
                                 at::Reduction::Sum, kNoTarget,
                                 batch.label_smoothing)};
}

LayerCase Adapted(const std::string& name, double dropout,
                  const LoraConfig& lora) {
  LayerCase block;
  block.name = name;
  block.table = WithLora(BuildGpt2Table(TinyConfig(dropout)), lora).value();
  block.registry = &KnownLayers();
  block.layer = 1;
  LayerContext context{block.table.layers[1], {}, 1};
  for (int used : context.entry.parameter_blocks) {
    context.blocks.push_back(block.table.parameter_blocks[used]);
  }
  const auto plain = std::make_shared<const PlainBlock>(context);
  block.plain = [plain](const Tensors& parameters, const Tensors& inputs,
                        const MicroBatch& batch) {
    return plain->Compute(parameters, inputs, batch);
  };
  block.tolerance = 2e-6;
  return block;
}

// The case with one of its layer's blocks frozen, as many patterns of names may
// have it.
LayerCase Frozen(LayerCase layer, const std::string& what, int block) {
  layer.name += absl::StrCat("Frozen", what);
  const int number = layer.table.layers[layer.layer].parameter_blocks[block];
  layer.table.parameter_blocks[number].frozen = true;
  return layer;
}

std::vector<LayerCase> Cases() {
  std::vector<LayerCase> cases;
  for (double dropout : {0.0, 0.1}) {
    const Gpt2Config config = TinyConfig(dropout);
    LayerCase embedding;
    embedding.name = absl::StrCat("Embedding", dropout > 0 ? "Dropout" : "");
    embedding.table = BuildGpt2Table(config);
    embedding.registry = &KnownLayers();
    embedding.plain = [dropout](const Tensors& parameters, const Tensors&,
                                const MicroBatch& batch) {
      return PlainEmbedding(dropout, parameters, batch);
    };
    embedding.tolerance = 1e-6;

    LayerCase block = embedding;
    block.name = absl::StrCat("Block", dropout > 0 ? "Dropout" : "");
    block.layer = 1;
    const auto plain = std::make_shared<const PlainBlock>(LayerContext{
        block.table.layers[1], {block.table.parameter_blocks[2]}, 1});
    block.plain = [plain](const Tensors& parameters, const Tensors& inputs,
                          const MicroBatch& batch) {
      return plain->Compute(parameters, inputs, batch);
    };
    block.tolerance = 2e-6;

    cases.push_back(Frozen(embedding, "Tokens", 0));
    cases.push_back(InTwoBytes(cases.back(), ElementType::kBFloat16));
    cases.push_back(Frozen(embedding, "Positions", 1));
    cases.push_back(InInt8(cases.back()));
    cases.push_back(InTwoBytes(cases[cases.size() - 2], ElementType::kFloat16));
    cases.push_back(Frozen(block, "Block", 0));
    cases.push_back(
        InTwoBytes(cases[cases.size() - 1], ElementType::kBFloat16));
    cases.push_back(WithRoundedProducts(cases.back(), ElementType::kFloat16));
    cases.push_back(InInt8(cases[cases.size() - 3]));
    cases.push_back(WithRoundedProducts(cases.back()));
    cases.push_back(
        WithRoundedProducts(cases[cases.size() - 2], ElementType::kFloat16));
    cases.push_back(FrozenInPart(block, "FeedForward", {"*.h.0.mlp.*"}));
    cases.push_back(InInt8(cases.back()));
    cases.push_back(
        InTwoBytes(cases[cases.size() - 2], ElementType::kBFloat16));
    cases.push_back(WithMasters(cases.back()));
    cases.push_back(FrozenInPart(block, "Weights", {"*.h.0.*.weight"}));
    cases.push_back(WithRoundedProducts(cases.back()));
    cases.push_back(WithMasters(cases[cases.size() - 2]));
    cases.push_back(WithRoundedProducts(cases.back()));
    cases.push_back(WithMasters(embedding));
    cases.push_back(std::move(embedding));
    cases.push_back(WithMasters(block));
    cases.push_back(WithRoundedProducts(cases.back()));
    cases.push_back(WithRoundedProducts(block));
    cases.push_back(WithRoundedProducts(block, ElementType::kFloat16));
    cases.push_back(std::move(block));
  }
  for (bool tied : {true, false}) {
    Gpt2Config config = TinyConfig();
    config.tie_word_embeddings = tied;
    LayerCase head;
    head.name = tied ? "TiedHead" : "UntiedHead";
    head.table = BuildGpt2Table(config);
    head.layer = head.table.layer_count() - 1;
    head.registry = &KnownLayers();
    head.plain = [config](const Tensors& parameters, const Tensors& inputs,
                          const MicroBatch& batch) {
      return PlainHead(config.layer_norm_epsilon, parameters, inputs.front(),
                       batch);
    };
    head.tolerance = 2e-6;
    // Two whole slices of logits and a shorter one.
    head.sequences = 8;
    head.context = 35;
    cases.push_back(Frozen(head, "Norm", 0));
    cases.push_back(Frozen(head, "Table", 1));
    cases.push_back(InTwoBytes(cases.back(), ElementType::kFloat16));
    cases.push_back(InInt8(cases[cases.size() - 2]));
    cases.push_back(WithRoundedProducts(cases.back()));
    cases.push_back(
        WithRoundedProducts(cases[cases.size() - 2], ElementType::kFloat16));
    cases.push_back(FrozenInPart(head, "NormBias", {"*.ln_f.bias"}));
    cases.push_back(WithMasters(cases.back()));
    cases.push_back(WithMasters(head));
    cases.push_back(WithRoundedProducts(cases.back()));
    cases.push_back(WithRoundedProducts(head));
    cases.push_back(WithRoundedProducts(head, ElementType::kFloat16));
    LayerCase smoothed = head;
    smoothed.name += "Smoothed";
    smoothed.label_smoothing = 0.1;
    cases.push_back(std::move(smoothed));
    cases.push_back(std::move(head));
  }
  cases.push_back(Adapted("Lora", 0, {4, 8, 0, {"c_attn"}}));
  cases.push_back(Adapted("LoraEverywhere", 0.1, {3, 5, 0, {kAllLinear}}));
  cases.push_back(Adapted("LoraDropout", 0.1, {3, 5, 0.2, {kAllLinear}, true}));
  cases.push_back(InTwoBytes(cases.back(), ElementType::kBFloat16));
  cases.push_back(InInt8(cases[cases.size() - 2]));
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Gpt2, LayerContractTest, testing::ValuesIn(Cases()),
                         LayerCaseName);

}  // namespace
}  // namespace hydra
