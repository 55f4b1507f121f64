#include "common/model/bert_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "common/model/config_file.h"
#include "common/model/lora.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// As Google publishes bert-base-uncased.
constexpr char kBase[] = R"({
  "architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1,
  "gradient_checkpointing": false, "hidden_act": "gelu",
  "hidden_dropout_prob": 0.1, "hidden_size": 768, "initializer_range": 0.02,
  "intermediate_size": 3072, "layer_norm_eps": 1e-12,
  "max_position_embeddings": 512, "model_type": "bert",
  "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 0,
  "position_embedding_type": "absolute", "transformers_version": "4.6.0.dev0",
  "type_vocab_size": 2, "use_cache": true, "vocab_size": 30522})";

std::string Classifying() {
  return absl::StrReplaceAll(
      kBase, {{"BertForMaskedLM", "BertForSequenceClassification"}});
}

BertConfig Small(BertHead head = BertHead::kMaskedTokens) {
  BertConfig config;
  config.head = head;
  config.vocab_size = 97;
  config.hidden_size = 24;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 3;
  config.intermediate_size = 50;
  config.max_position_embeddings = 40;
  return config;
}

TEST(BertTableTest, CountsThePublishedParameters) {
  const auto masked = DescribeBert(kBase, {});
  ASSERT_TRUE(masked.ok()) << masked.status();
  EXPECT_EQ(masked->ParameterCount(), 109'514'298);
  EXPECT_EQ(masked->layer_count(), 14);
  EXPECT_THAT(ConfigWarnings(kBase, masked->config_names), IsEmpty());
  const auto classifying = DescribeBert(Classifying(), {});
  ASSERT_TRUE(classifying.ok()) << classifying.status();
  EXPECT_EQ(classifying->ParameterCount(), 109'483'778);
}

TEST(BertTableTest, TakesSequencesWhole) {
  const ModelTable masked = BuildBertTable(Small());
  EXPECT_EQ(masked.objective, Objective::kMaskedTokens);
  EXPECT_TRUE(masked.takes_whole_sequences());
  EXPECT_FALSE(masked.classifies());
  EXPECT_EQ(masked.classes.count, 0);
  BertConfig config = Small(BertHead::kClass);
  config.num_labels = 3;
  config.labels = {{"good", 2}};
  const ModelTable classifying = BuildBertTable(config);
  EXPECT_EQ(classifying.objective, Objective::kClass);
  EXPECT_TRUE(classifying.takes_whole_sequences());
  EXPECT_TRUE(classifying.classifies());
  EXPECT_EQ(classifying.classes.count, 3);
  EXPECT_EQ(classifying.classes.numbers.at("good"), 2);
  EXPECT_EQ(classifying.vocabulary_size, 97);
  EXPECT_EQ(classifying.longest_context, 40);
  EXPECT_EQ(classifying.token_types, 2);
}

TEST(BertTableTest, BoundariesHaveTheSequencesLengths) {
  const ModelTable table = BuildBertTable(Small());
  for (int layer = 1; layer < table.layer_count(); ++layer) {
    const std::vector<BoundaryTensor>& boundary = table.BoundaryBefore(layer);
    ASSERT_EQ(boundary.size(), 2);
    EXPECT_THAT(boundary[0].ShapeOf(7, 5), ElementsAre(7, 5, 24));
    EXPECT_EQ(boundary[1].type, ElementType::kInt64);
    EXPECT_THAT(boundary[1].ShapeOf(7, 5), ElementsAre(7));
  }
  EXPECT_THAT(table.layers.back().outputs, IsEmpty());
}

TEST(BertTableTest, AHeadOfMaskedTokensSharesTheEmbeddingOrHasItsOwn) {
  const ModelTable tied = BuildBertTable(Small());
  EXPECT_THAT(tied.parameter_blocks[0].layers, ElementsAre(0, 3));
  EXPECT_EQ(tied.parameter_blocks[0].tensors[0].alias,
            "cls.predictions.decoder.weight");
  const ParameterBlock& head = tied.parameter_blocks[4];
  EXPECT_EQ(head.tensors[bert_head::kDenseWeight].name,
            "cls.predictions.transform.dense.weight");
  EXPECT_EQ(head.tensors[bert_head::kNormBias].name,
            "cls.predictions.transform.LayerNorm.bias");
  EXPECT_EQ(head.tensors[bert_head::kBias].name, "cls.predictions.bias");
  EXPECT_EQ(head.tensors[bert_head::kBias].alias,
            "cls.predictions.decoder.bias");
  BertConfig config = Small();
  config.tie_word_embeddings = false;
  const ModelTable untied = BuildBertTable(config);
  EXPECT_EQ(untied.parameter_blocks.back().tensors[0].name,
            "cls.predictions.decoder.weight");
  EXPECT_THAT(untied.parameter_blocks[0].layers, ElementsAre(0));
  EXPECT_EQ(untied.parameter_blocks[4].tensors[bert_head::kBias].name,
            "cls.predictions.decoder.bias");
  EXPECT_EQ(untied.parameter_blocks[4].tensors[bert_head::kBias].alias, "");
}

TEST(BertTableTest, OnlyTheHeadOfClassesMayBeDrawn) {
  const ModelTable table = BuildBertTable(Small(BertHead::kClass));
  std::vector<std::string> drawn;
  for (const ParameterBlock& block : table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      if (tensor.may_be_drawn) drawn.push_back(tensor.name);
    }
  }
  EXPECT_THAT(drawn,
              ElementsAre("bert.pooler.dense.weight", "bert.pooler.dense.bias",
                          "classifier.weight", "classifier.bias"));
}

TEST(BertTableTest, ADropoutOfTheJobIsThatOfAllLayers) {
  ModelOverrides overrides;
  overrides.dropout = 0.25;
  const auto table = DescribeBert(Classifying(), overrides);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->layers[0].attributes.at(bert::kDropout), 0.25);
  EXPECT_EQ(table->layers[1].attributes.at(bert::kDropout), 0.25);
  EXPECT_EQ(table->layers[1].attributes.at(bert::kAttentionDropout), 0.25);
  EXPECT_EQ(table->layers.back().attributes.at(bert::kDropout), 0.25);
}

TEST(BertTableTest, WhatDiffersInTimeOrMemoryHasAnotherKey) {
  const std::vector<std::pair<const char*, void (*)(BertConfig&)>> changes = {
      {"vocabulary", [](BertConfig& c) { c.vocab_size = 98; }},
      {"positions", [](BertConfig& c) { c.max_position_embeddings = 41; }},
      {"types", [](BertConfig& c) { c.type_vocab_size = 3; }},
      {"width", [](BertConfig& c) { c.hidden_size = 48; }},
      {"layers", [](BertConfig& c) { c.num_hidden_layers = 3; }},
      {"heads", [](BertConfig& c) { c.num_attention_heads = 2; }},
      {"inner", [](BertConfig& c) { c.intermediate_size = 51; }},
      {"tied", [](BertConfig& c) { c.tie_word_embeddings = false; }},
      {"head", [](BertConfig& c) { c.head = BertHead::kClass; }},
      {"classes",
       [](BertConfig& c) {
         c.head = BertHead::kClass;
         c.num_labels = 3;
       }},
      {"dropout", [](BertConfig& c) { c.hidden_dropout_prob = 0.5; }},
      {"attention dropout",
       [](BertConfig& c) { c.attention_probs_dropout_prob = 0.5; }},
  };
  std::set<std::string> keys = {BuildBertTable(Small()).architecture_key};
  for (const auto& [name, change] : changes) {
    BertConfig config = Small();
    change(config);
    EXPECT_TRUE(keys.insert(BuildBertTable(config).architecture_key).second)
        << name;
  }
}

TEST(BertTableTest, AdaptersAreNamedAsTransformersNamesTheModules) {
  const auto table = WithLora(BuildBertTable(Small()), {4, 8});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->lora->target_modules, ElementsAre("query", "value"));
  EXPECT_EQ(table->parameter_blocks.back().tensors.front().name,
            "base_model.model.bert.encoder.layer.1.attention.self.query.lora_A."
            "weight");
  EXPECT_THAT(LinearModules(BuildBertTable(Small())),
              ElementsAre("query", "key", "value", "dense"));
  // Two matrices for each of two maps in each of two blocks.
  EXPECT_EQ(table->TrainedCount(), 2 * 2 * 2 * 4 * 24);
}

// PEFT would adapt the maps of the heads, too, which are called dense as well.
TEST(BertTableTest, NamesThatFitAHeadsMapsBecomeLonger) {
  for (BertHead head : {BertHead::kMaskedTokens, BertHead::kClass}) {
    const auto table =
        WithLora(BuildBertTable(Small(head)), {4, 8, 0, {"query", "dense"}});
    ASSERT_TRUE(table.ok()) << table.status();
    EXPECT_THAT(table->lora->target_modules,
                ElementsAre("query", "output.dense", "intermediate.dense"));
    // Two matrices for each of four maps in each of two blocks.
    size_t adapters = 0;
    for (const ParameterBlock& block : table->parameter_blocks) {
      if (block.is_adapter) adapters += block.tensors.size();
    }
    EXPECT_EQ(adapters, 2 * 4 * 2);
  }
}

TEST(BertTableTest, TheTrainedConfigNamesTheHeadThatWasTrained) {
  const auto trained = TrainedModelConfig(
      R"({"architectures": ["BertForPreTraining"], "model_type": "bert"})",
      BuildBertTable(Small()).config_names);
  ASSERT_TRUE(trained.ok()) << trained.status();
  EXPECT_THAT(*trained, HasSubstr("\"BertForMaskedLM\""));
  EXPECT_THAT(
      *TrainedModelConfig(R"({"id2label": {"0": "cat", "1": "dog"}})",
                          BuildBertTable(Small(BertHead::kClass)).config_names),
      HasSubstr("\"cat\""));
}

}  // namespace
}  // namespace hydra
