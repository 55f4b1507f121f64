#include "worker/model/layer_blocks.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/zeros.h"
#include "common/model/bert_table.h"
#include "common/model/frozen_layers.h"
#include "common/model/model_table.h"
#include "gtest/gtest.h"
#include "worker/model/block_views.h"
#include "worker/model/known_layers.h"
#include "worker/model/layer.h"
#include "worker/model/layer_registry.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

LayerContext ContextOf(const ModelTable& table, int layer) {
  LayerContext context{table.layers[layer], {}, layer};
  for (int block : context.entry.parameter_blocks) {
    context.blocks.push_back(table.parameter_blocks[block]);
  }
  return context;
}

// The tensors of the layer's flats, by name; undefined flats have none.
std::map<std::string, at::Tensor> ByName(const ModelTable& table, int layer,
                                         const Tensors& flats) {
  std::map<std::string, at::Tensor> named;
  const std::vector<int>& blocks = table.layers[layer].parameter_blocks;
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (!flats[i].defined()) continue;
    const ParameterBlock& block = table.parameter_blocks[blocks[i]];
    const Tensors views = TensorViews(block, flats[i]);
    for (size_t j = 0; j < views.size(); ++j) {
      named[block.tensors[j].name] = views[j];
    }
  }
  return named;
}

// Flats of the layer with these tensors.
Tensors FlatsOf(const ModelTable& table, int layer,
                const std::map<std::string, at::Tensor>& named) {
  Tensors flats;
  for (int number : table.layers[layer].parameter_blocks) {
    const ParameterBlock& block = table.parameter_blocks[number];
    const at::Tensor flat = at::zeros({block.element_count()});
    const Tensors views = TensorViews(block, flat);
    for (size_t j = 0; j < views.size(); ++j) {
      views[j].copy_(named.at(block.tensors[j].name));
    }
    flats.push_back(flat);
  }
  return flats;
}

Tensors GradientFlats(const ModelTable& table, int layer) {
  Tensors flats;
  for (int number : table.layers[layer].parameter_blocks) {
    const ParameterBlock& block = table.parameter_blocks[number];
    const bool has_none = block.frozen || block.gathered_by(layer);
    flats.push_back(has_none ? at::Tensor() : GarbageFlat(block));
  }
  return flats;
}

// What is not frozen is computed as where nothing is.
void ExpectTheBitsOfTheWhole(const ModelTable& whole, int layer,
                             const std::vector<std::string>& patterns) {
  SCOPED_TRACE(patterns.front());
  const ModelTable divided = WithFrozen(whole, patterns).value();
  ASSERT_GT(divided.layers[layer].parameter_blocks.size(),
            whole.layers[layer].parameter_blocks.size());
  const int64_t context = whole.examples.has_value() ? 1 : 20;
  const LayerInput input = RandomInput(whole, layer, 3, context, /*seed=*/1);
  LayerInput in_parts = input;
  in_parts.flats = FlatsOf(divided, layer, ByName(whole, layer, input.flats));
  Tensors output_gradients;
  for (const BoundaryTensor& tensor : whole.layers[layer].outputs) {
    output_gradients.push_back(RandomTensor(tensor.ShapeOf(3, context), 2));
  }
  const std::unique_ptr<Layer> expected =
      KnownLayers().Make(whole, layer).value();
  const std::unique_ptr<Layer> actual =
      KnownLayers().Make(divided, layer).value();
  const LayerOutput expected_output = expected->Forward(input);
  const LayerOutput output = actual->Forward(in_parts);
  EXPECT_EQ(output.loss.loss_sum, expected_output.loss.loss_sum);
  for (size_t i = 0; i < output.boundary.size(); ++i) {
    EXPECT_TRUE(output.boundary[i].equal(expected_output.boundary[i]));
  }

  const Tensors expected_flats = GradientFlats(whole, layer);
  const Tensors flats = GradientFlats(divided, layer);
  const LayerGradients expected_gradients = expected->Backward(
      expected->Record(input), output_gradients, expected_flats, false);
  const LayerGradients gradients = actual->Backward(
      actual->Record(in_parts), output_gradients, flats, false);
  for (size_t i = 0; i < gradients.inputs.size(); ++i) {
    // Of what is no number, there is none.
    ASSERT_EQ(gradients.inputs[i].defined(),
              expected_gradients.inputs[i].defined());
    if (!gradients.inputs[i].defined()) continue;
    EXPECT_TRUE(gradients.inputs[i].equal(expected_gradients.inputs[i]));
  }
  const auto of_whole = ByName(whole, layer, expected_flats);
  const auto of_parts = ByName(divided, layer, flats);
  EXPECT_FALSE(of_parts.empty());
  EXPECT_LT(of_parts.size(), of_whole.size());
  for (const auto& [name, gradient] : of_parts) {
    EXPECT_TRUE(gradient.equal(of_whole.at(name))) << name;
  }
}

TEST(LayerBlocksTest, WhatIsFrozenInABlockChangesNoBitOfTheRest) {
  const ModelTable bert =
      BuildBertTable(TinyBertConfig(BertHead::kMaskedTokens, 0.1));
  ExpectTheBitsOfTheWhole(bert, 0, {"*.LayerNorm.*", "*.position_*"});
  ExpectTheBitsOfTheWhole(bert, 0, {"*.token_type_embeddings.weight"});
  ExpectTheBitsOfTheWhole(bert, 1, {"*.layer.0.*.bias"});
  ExpectTheBitsOfTheWhole(bert, bert.layer_count() - 1, {"*.transform.*"});
  const ModelTable classifying =
      BuildBertTable(TinyBertConfig(BertHead::kClass, 0.1));
  ExpectTheBitsOfTheWhole(classifying, classifying.layer_count() - 1,
                          {"*.pooler.*", "classifier.bias"});
  const ModelTable gpt2 = BuildGpt2Table(TinyConfig(0.1));
  ExpectTheBitsOfTheWhole(gpt2, 1, {"*.h.0.mlp.*"});
  ExpectTheBitsOfTheWhole(gpt2, 1, {"*.h.0.*.weight"});
  ExpectTheBitsOfTheWhole(gpt2, gpt2.layer_count() - 1, {"*.ln_f.weight"});
  const ModelTable llama =
      BuildLlamaTable(TinyLlamaConfig(LlamaFamily::kQwen2, 0.1));
  ExpectTheBitsOfTheWhole(llama, 1, {"*.layers.0.self_attn.*"});
  ExpectTheBitsOfTheWhole(llama, 1, {"*.layers.0.*.bias"});
  const ModelTable vit = BuildVitTable(TinyVitConfig(0.1));
  ExpectTheBitsOfTheWhole(vit, 0, {"*.cls_token", "*.projection.bias"});
  ExpectTheBitsOfTheWhole(vit, 1, {"*.layer.0.*.bias"});
  ExpectTheBitsOfTheWhole(vit, vit.layer_count() - 1, {"classifier.*"});
  // With all that batch norms remember.
  const ModelTable resnet = BuildResnetTable(TinyResnetConfig());
  ExpectTheBitsOfTheWhole(resnet, 0, {"*.normalization.weight"});
  ExpectTheBitsOfTheWhole(resnet, 2, {"*.normalization.bias"});
  ExpectTheBitsOfTheWhole(resnet, 2, {"*.convolution.weight"});
  ExpectTheBitsOfTheWhole(resnet, resnet.layer_count() - 1,
                          {"classifier.*.bias"});
}

TEST(LayerBlocksTest, APartStandsInItsPlacesOfTheWhole) {
  const ModelTable whole = BuildGpt2Table(TinyConfig());
  const ModelTable table = WithFrozen(whole, {"*.h.0.*.bias"}).value();
  const LayerBlocks blocks(ContextOf(table, 1));
  ASSERT_EQ(blocks.size(), 1);
  const ParameterBlock& described = whole.parameter_blocks[2];
  ASSERT_EQ(blocks.tensors(0).size(), described.tensors.size());
  Tensors flats =
      FlatsOf(table, 1, ByName(whole, 1, {RandomFlat(described, /*seed=*/1)}));
  const Tensors views = blocks.Views(0, flats);
  const Tensors expected =
      TensorViews(described, RandomFlat(described, /*seed=*/1));
  for (size_t i = 0; i < expected.size(); ++i) {
    const TensorEntry& tensor = described.tensors[i];
    EXPECT_EQ(blocks.tensors(0)[i].name, tensor.name);
    EXPECT_EQ(blocks.tensors(0)[i].linear, tensor.linear);
    EXPECT_TRUE(views[i].equal(expected[i])) << tensor.name;
    EXPECT_EQ(blocks.IsFrozen(0, i),
              tensor.shape.size() == 1 && tensor.name.back() == 's');
  }
  // As where gradients go: nowhere for what is frozen.
  flats[1] = at::Tensor();
  const Tensors places = blocks.Views(0, flats);
  for (size_t i = 0; i < places.size(); ++i) {
    EXPECT_EQ(places[i].defined(), !blocks.IsFrozen(0, i));
  }
}

TEST(LayerBlocksTest, APartOfABlockThatTheLayerHasNotIsRefused) {
  ModelTable table =
      WithFrozen(BuildGpt2Table(TinyConfig()), {"*.h.0.*.bias"}).value();
  std::vector<int>& blocks = table.layers[1].parameter_blocks;
  blocks.erase(blocks.begin());
  EXPECT_FALSE(KnownLayers().Make(table, 1).ok());
}

}  // namespace
}  // namespace hydra
