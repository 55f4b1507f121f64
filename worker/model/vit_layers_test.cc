// ViT's layers keep the contract of all layers.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/conv2d.h"
#include "ATen/ops/cross_entropy_loss.h"
#include "ATen/ops/layer_norm.h"
#include "ATen/ops/ones.h"
#include "common/model/lora.h"
#include "common/model/vit_table.h"
#include "gtest/gtest.h"
#include "worker/model/dropout.h"
#include "worker/model/known_layers.h"
#include "worker/model/test_models.h"
#include "worker/model/testing/layer_contract.h"
#include "worker/model/testing/plain_vit_block.h"

namespace hydra {
namespace {

// With transformers' convolution.
LayerCase Embedding(double dropout) {
  const VitConfig config = TinyVitConfig(dropout);
  LayerCase embedding;
  embedding.name = dropout > 0 ? "EmbeddingDropout" : "Embedding";
  embedding.table = BuildVitTable(config);
  embedding.registry = &KnownLayers();
  embedding.plain = [config](const Tensors& parameters, const Tensors&,
                             const MicroBatch& batch) -> Tensors {
    const int64_t images = batch.sequences();
    const std::vector<int64_t> stride = {config.patch_height,
                                         config.patch_width};
    const std::vector<int64_t> padding = {0, 0};
    const at::Tensor patches =
        at::conv2d(
            batch.examples.view({images, config.num_channels,
                                 config.image_height, config.image_width}),
            parameters[2], parameters[3], stride, padding)
            .flatten(2)
            .transpose(1, 2);
    const at::Tensor sum =
        at::cat({parameters[0].expand({images, 1, -1}), patches}, 1) +
        parameters[1];
    if (config.hidden_dropout_prob == 0) return {sum};
    const at::Tensor kept = at::ones(sum.sizes());
    DropOut(kept,
            {config.hidden_dropout_prob, MaskSeed(batch.seed, 0, /*mask=*/0)});
    return {sum * kept};
  };
  embedding.tolerance = 2e-6;
  return embedding;
}

LayerCase Block(const std::string& name, ModelTable table) {
  LayerCase block;
  block.name = name;
  block.table = std::move(table);
  block.layer = 1;
  block.registry = &KnownLayers();
  LayerContext context{block.table.layers[1], {}, 1};
  for (int used : context.entry.parameter_blocks) {
    context.blocks.push_back(block.table.parameter_blocks[used]);
  }
  const auto plain = std::make_shared<const PlainVitBlock>(context);
  block.plain = [plain](const Tensors& parameters, const Tensors& inputs,
                        const MicroBatch& batch) {
    return plain->Compute(parameters, inputs, batch);
  };
  block.tolerance = 2e-6;
  return block;
}

LayerCase Block(const std::string& name, const VitConfig& config) {
  return Block(name, BuildVitTable(config));
}

LayerCase Adapted(const std::string& name, const VitConfig& config,
                  const LoraConfig& lora) {
  return Block(name, WithLora(BuildVitTable(config), lora).value());
}

// Normalizes all rows, as transformers does.
LayerCase Head() {
  const VitConfig config = TinyVitConfig();
  LayerCase head;
  head.name = "Head";
  head.table = BuildVitTable(config);
  head.layer = head.table.layer_count() - 1;
  head.registry = &KnownLayers();
  head.plain = [config](const Tensors& parameters, const Tensors& inputs,
                        const MicroBatch& batch) -> Tensors {
    const at::Tensor normalized =
        at::layer_norm(inputs.front(), {config.hidden_size}, parameters[0],
                       parameters[1], config.layer_norm_eps);
    const at::Tensor logits =
        normalized.select(1, 0).mm(parameters[2].t()) + parameters[3];
    return {at::cross_entropy_loss(logits, batch.Targets().reshape({-1}), {},
                                   at::Reduction::Sum)};
  };
  head.tolerance = 2e-6;
  head.sequences = 9;
  return head;
}

// The case with every block of the model frozen.
LayerCase Frozen(LayerCase layer) {
  layer.name += "Frozen";
  for (ParameterBlock& block : layer.table.parameter_blocks) {
    block.frozen = true;
  }
  return layer;
}

std::vector<LayerCase> Cases() {
  VitConfig without_biases = TinyVitConfig();
  without_biases.qkv_bias = false;
  std::vector<LayerCase> cases = {Embedding(0),
                                  Embedding(0.1),
                                  Block("Block", TinyVitConfig()),
                                  Block("BlockDropout", TinyVitConfig(0.1)),
                                  Block("BlockWithoutBiases", without_biases),
                                  Head(),
                                  Frozen(Embedding(0)),
                                  Frozen(Block("Block", TinyVitConfig())),
                                  Frozen(Head()),
                                  Adapted("Lora", TinyVitConfig(), {4, 8}),
                                  Adapted("LoraEverywhere", TinyVitConfig(0.1),
                                          {3, 5, 0.2, {kAllLinear}, true})};
  cases.push_back(InTwoBytes(Frozen(Embedding(0)), ElementType::kBFloat16));
  cases.push_back(InTwoBytes(Frozen(Head()), ElementType::kFloat16));
  cases.push_back(InTwoBytes(Adapted("Lora", TinyVitConfig(), {4, 8}),
                             ElementType::kBFloat16));
  cases.push_back(InInt8(Frozen(Embedding(0))));
  cases.push_back(InInt8(Frozen(Head())));
  cases.push_back(InInt8(Adapted("Lora", TinyVitConfig(), {4, 8})));
  cases.push_back(WithMasters(Embedding(0.1)));
  cases.push_back(WithMasters(Block("Block", TinyVitConfig())));
  cases.push_back(WithMasters(Head()));
  cases.push_back(WithRoundedProducts(Block("Block", TinyVitConfig())));
  cases.push_back(WithRoundedProducts(Block("Block", TinyVitConfig()),
                                      ElementType::kFloat16));
  cases.push_back(
      FrozenInPart(Embedding(0.1), "Positions", {"*.position_embeddings"}));
  cases.push_back(
      InTwoBytes(FrozenInPart(Embedding(0), "Patches",
                              {"*.patch_embeddings.*.weight", "*.cls_token"}),
                 ElementType::kBFloat16));
  cases.push_back(FrozenInPart(Block("Block", TinyVitConfig(0.1)), "Attention",
                               {"*.layer.0.attention.*"}));
  cases.push_back(FrozenInPart(Head(), "Norm", {"*.layernorm.*"}));
  cases.push_back(FrozenInPart(Head(), "Weights", {"classifier.weight"}));
  for (LayerCase& layer : cases) layer.context = 1;
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Vit, LayerContractTest, testing::ValuesIn(Cases()),
                         LayerCaseName);

}  // namespace
}  // namespace hydra
