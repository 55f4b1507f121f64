#include "common/checkpoint/adapter_config.h"

#include "common/model/bert_table.h"
#include "common/model/gpt2_table.h"
#include "common/model/llama_table.h"
#include "common/model/lora.h"
#include "common/model/vit_table.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

using nlohmann::json;

json ConfigOf(const ModelTable& table) {
  return json::parse(AdapterConfigJson(table, "/models/base"));
}

TEST(AdapterConfigTest, SaysWhatPeftNeedsToOpenTheAdapters) {
  LlamaConfig model;
  model.vocab_size = 11;
  model.num_hidden_layers = 1;
  model.windows = {0};
  LoraConfig lora;
  lora.r = 4;
  lora.lora_alpha = 16;
  lora.lora_dropout = 0.05;
  lora.use_rslora = true;
  const json config = ConfigOf(WithLora(BuildLlamaTable(model), lora).value());
  EXPECT_EQ(config["peft_type"], "LORA");
  EXPECT_EQ(config["task_type"], "CAUSAL_LM");
  EXPECT_EQ(config["base_model_name_or_path"], "/models/base");
  EXPECT_EQ(config["r"], 4);
  EXPECT_TRUE(config["lora_alpha"].is_number_integer());
  EXPECT_EQ(config["lora_alpha"], 16);
  EXPECT_EQ(config["lora_dropout"], 0.05);
  EXPECT_EQ(config["target_modules"], json({"q_proj", "v_proj"}));
  EXPECT_EQ(config["use_rslora"], true);
  EXPECT_EQ(config["fan_in_fan_out"], false);
  EXPECT_EQ(config["bias"], "none");
}

TEST(AdapterConfigTest, AGpt2KeepsItsWeightsTheOtherWayRound) {
  LoraConfig lora;
  lora.r = 2;
  lora.lora_alpha = 2.5;
  lora.target_modules = {kAllLinear};
  Gpt2Config model;
  model.vocab_size = 11;
  model.n_positions = 4;
  model.n_embd = 4;
  model.n_layer = 1;
  model.n_head = 1;
  model.n_inner = 8;
  const json config = ConfigOf(WithLora(BuildGpt2Table(model), lora).value());
  EXPECT_EQ(config["fan_in_fan_out"], true);
  EXPECT_EQ(config["lora_alpha"], 2.5);
  EXPECT_EQ(config["target_modules"], json({"c_attn", "c_proj", "c_fc"}));
}

// PEFT has no name for it.
TEST(AdapterConfigTest, AClassifierIsNoLanguageModel) {
  VitConfig model;
  model.hidden_size = 4;
  model.num_hidden_layers = 1;
  model.num_attention_heads = 1;
  model.intermediate_size = 8;
  model.image_height = model.image_width = 4;
  model.patch_height = model.patch_width = 2;
  const json config =
      ConfigOf(WithLora(BuildVitTable(model), LoraConfig{2}).value());
  EXPECT_TRUE(config["task_type"].is_null());
  EXPECT_EQ(config["target_modules"], json({"q_proj", "v_proj"}));
}

TEST(AdapterConfigTest, NeitherIsAModelOfMaskedTokensACausalOne) {
  BertConfig model;
  model.vocab_size = 8;
  model.hidden_size = 4;
  model.num_hidden_layers = 1;
  model.num_attention_heads = 1;
  model.intermediate_size = 8;
  model.max_position_embeddings = 4;
  const json config =
      ConfigOf(WithLora(BuildBertTable(model), LoraConfig{2}).value());
  EXPECT_TRUE(config["task_type"].is_null());
  EXPECT_EQ(config["target_modules"], json({"query", "value"}));
}

}  // namespace
}  // namespace hydra
