#include "common/model/vit_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/model/config_file.h"
#include "common/model/lora.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// As Google publishes vit-base-patch16-224, its thousand names of classes left
// out.
constexpr char kBase[] = R"({
  "_name_or_path": "google/vit-base-patch16-224",
  "architectures": ["ViTForImageClassification"],
  "attention_probs_dropout_prob": 0.0, "encoder_stride": 16,
  "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "hidden_size": 768,
  "num_labels": 1000, "image_size": 224, "initializer_range": 0.02,
  "intermediate_size": 3072, "layer_norm_eps": 1e-12, "model_type": "vit",
  "num_attention_heads": 12, "num_channels": 3, "num_hidden_layers": 12,
  "patch_size": 16, "qkv_bias": true, "transformers_version": "4.13.0"})";

VitConfig Small() {
  VitConfig config;
  config.hidden_size = 24;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 3;
  config.intermediate_size = 50;
  config.image_height = 8;
  config.image_width = 12;
  config.patch_height = 4;
  config.patch_width = 3;
  config.num_channels = 2;
  config.num_labels = 5;
  return config;
}

TEST(VitTableTest, CountsThePublishedParameters) {
  const auto table = DescribeVit(kBase, {});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->ParameterCount(), 86'567'656);
  EXPECT_EQ(table->layer_count(), 14);
  EXPECT_THAT(ConfigWarnings(kBase, table->config_names), IsEmpty());
}

TEST(VitTableTest, IsFedImagesAndNoTokens) {
  const ModelTable table = BuildVitTable(Small());
  ASSERT_TRUE(table.examples.has_value());
  EXPECT_EQ(table.examples->name, "pixel_values");
  EXPECT_THAT(table.examples->shape, ElementsAre(2, 8, 12));
  EXPECT_EQ(table.examples->element_count(), 192);
  EXPECT_EQ(table.examples->class_count, 5);
  EXPECT_EQ(table.vocabulary_size, 0);
  EXPECT_EQ(table.longest_context, 1);
}

TEST(VitTableTest, BoundariesHaveTheClassTokenAndThePatches) {
  const ModelTable table = BuildVitTable(Small());
  for (int layer = 1; layer < table.layer_count(); ++layer) {
    ASSERT_EQ(table.BoundaryBefore(layer).size(), 1);
    EXPECT_THAT(table.BoundaryBefore(layer).front().ShapeOf(7, 1),
                ElementsAre(7, 9, 24));
  }
  EXPECT_THAT(table.layers.back().outputs, IsEmpty());
}

TEST(VitTableTest, BiasesOfAttentionAreThereIfTheConfigSaysSo) {
  VitConfig config = Small();
  const size_t with = BuildVitTable(config).parameter_blocks[1].tensors.size();
  config.qkv_bias = false;
  const ModelTable table = BuildVitTable(config);
  EXPECT_EQ(table.parameter_blocks[1].tensors.size() + 3, with);
  EXPECT_EQ(table.layers[1].attributes.at(vit::kHasBiases), 0);
}

TEST(VitTableTest, ADropoutOfTheJobIsThatOfAllLayers) {
  ModelOverrides overrides;
  overrides.dropout = 0.25;
  const auto table = DescribeVit(kBase, overrides);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->layers[0].attributes.at(vit::kDropout), 0.25);
  EXPECT_EQ(table->layers[1].attributes.at(vit::kDropout), 0.25);
  EXPECT_EQ(table->layers[1].attributes.at(vit::kAttentionDropout), 0.25);
}

TEST(VitTableTest, WhatDiffersInTimeOrMemoryHasAnotherKey) {
  const std::vector<std::pair<const char*, void (*)(VitConfig&)>> changes = {
      {"channels", [](VitConfig& c) { c.num_channels = 1; }},
      {"image height", [](VitConfig& c) { c.image_height = 16; }},
      {"image width", [](VitConfig& c) { c.image_width = 24; }},
      {"patch height", [](VitConfig& c) { c.patch_height = 2; }},
      {"patch width", [](VitConfig& c) { c.patch_width = 4; }},
      {"width", [](VitConfig& c) { c.hidden_size = 48; }},
      {"layers", [](VitConfig& c) { c.num_hidden_layers = 3; }},
      {"heads", [](VitConfig& c) { c.num_attention_heads = 2; }},
      {"inner", [](VitConfig& c) { c.intermediate_size = 51; }},
      {"biases", [](VitConfig& c) { c.qkv_bias = false; }},
      {"classes", [](VitConfig& c) { c.num_labels = 6; }},
      {"dropout", [](VitConfig& c) { c.hidden_dropout_prob = 0.5; }},
      {"attention dropout",
       [](VitConfig& c) { c.attention_probs_dropout_prob = 0.5; }},
  };
  std::set<std::string> keys = {BuildVitTable(Small()).architecture_key};
  for (const auto& [name, change] : changes) {
    VitConfig config = Small();
    change(config);
    EXPECT_TRUE(keys.insert(BuildVitTable(config).architecture_key).second)
        << name;
  }
}

// A product with the projection's weight for each patch, of which one is
// counted as that of a token.
TEST(VitTableTest, TheEmbeddingCountsItsProjectionForEachPatch) {
  const VitConfig config = Small();
  ASSERT_EQ(config.patches(), 8);
  EXPECT_EQ(BuildVitTable(config).layers[0].flops_per_token_pair,
            2 * 24 * (2 * 4 * 3) * 7);
}

TEST(VitTableTest, ADroppedEmbeddingHasACopyOfItsGradient) {
  VitConfig config = Small();
  const size_t without =
      BuildVitTable(config).layers[0].memory.backward.front().size();
  config.hidden_dropout_prob = 0.5;
  EXPECT_EQ(BuildVitTable(config).layers[0].memory.backward.front().size(),
            without + 1);
}

// Checkpoints have older names of its modules than transformers' model, in
// which PEFT looks for them.
TEST(VitTableTest, AdaptersAreNamedAsTransformersNamesTheModules) {
  const auto table = WithLora(BuildVitTable(Small()), {4, 8});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->lora->target_modules, ElementsAre("q_proj", "v_proj"));
  EXPECT_EQ(table->parameter_blocks.back().tensors.front().name,
            "base_model.model.vit.layers.1.attention.q_proj.lora_A.weight");
  EXPECT_THAT(
      LinearModules(BuildVitTable(Small())),
      ElementsAre("q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2"));
  // Two matrices for each of two maps in each of two blocks.
  EXPECT_EQ(table->TrainedCount(), 2 * 2 * 2 * 4 * 24);
}

TEST(VitTableTest, TheTrainedConfigKeepsTheNamesOfItsClasses) {
  constexpr char kConfig[] = R"({"model_type": "vit",
    "id2label": {"0": "cat", "1": "dog"}, "label2id": {"cat": 0, "dog": 1}})";
  const auto trained =
      TrainedModelConfig(kConfig, BuildVitTable(Small()).config_names);
  ASSERT_TRUE(trained.ok()) << trained.status();
  EXPECT_THAT(*trained, HasSubstr("\"cat\""));
  EXPECT_THAT(*trained, HasSubstr("ViTForImageClassification"));
  ConfigNames without = BuildVitTable(Small()).config_names;
  without.classifies = false;
  EXPECT_THAT(*TrainedModelConfig(kConfig, without), Not(HasSubstr("\"cat\"")));
}

}  // namespace
}  // namespace hydra
