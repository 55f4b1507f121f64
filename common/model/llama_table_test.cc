#include "common/model/llama_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/model/config_file.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// As TinyLlama publishes it.
constexpr char kTinyLlama[] = R"({
  "architectures": ["LlamaForCausalLM"], "attention_bias": false,
  "bos_token_id": 1, "eos_token_id": 2, "hidden_act": "silu",
  "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 5632,
  "max_position_embeddings": 2048, "model_type": "llama",
  "num_attention_heads": 32, "num_hidden_layers": 22,
  "num_key_value_heads": 4, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
  "rope_scaling": null, "rope_theta": 10000.0, "tie_word_embeddings": false,
  "torch_dtype": "float32", "transformers_version": "4.31.0.dev0",
  "use_cache": true, "vocab_size": 32000})";

// As Qwen publishes Qwen2.5-0.5B.
constexpr char kSmallQwen[] = R"({
  "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0,
  "bos_token_id": 151643, "eos_token_id": 151643, "hidden_act": "silu",
  "hidden_size": 896, "initializer_range": 0.02, "intermediate_size": 4864,
  "max_position_embeddings": 32768, "max_window_layers": 24,
  "model_type": "qwen2", "num_attention_heads": 14, "num_hidden_layers": 24,
  "num_key_value_heads": 2, "rms_norm_eps": 1e-06, "rope_theta": 1000000.0,
  "sliding_window": 32768, "tie_word_embeddings": true,
  "torch_dtype": "bfloat16", "transformers_version": "4.40.1",
  "use_cache": true, "use_mrope": false, "use_sliding_window": false,
  "vocab_size": 151936})";

std::vector<std::string> NamesOf(const ParameterBlock& block) {
  std::vector<std::string> names;
  for (const TensorEntry& tensor : block.tensors) names.push_back(tensor.name);
  return names;
}

LlamaConfig Small(LlamaFamily family) {
  LlamaConfig config;
  config.family = family;
  config.vocab_size = 512;
  config.max_position_embeddings = 32;
  config.hidden_size = 64;
  config.intermediate_size = 128;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 4;
  config.num_key_value_heads = 2;
  config.head_dim = 32;
  config.windows = {0, 0};
  return config;
}

TEST(LlamaTableTest, CountsThePublishedParameters) {
  const auto llama = DescribeLlama(kTinyLlama, {});
  ASSERT_TRUE(llama.ok()) << llama.status();
  EXPECT_EQ(llama->ParameterCount(), 1'100'048'384);
  const auto qwen = DescribeQwen2(kSmallQwen, {});
  ASSERT_TRUE(qwen.ok()) << qwen.status();
  EXPECT_EQ(qwen->ParameterCount(), 494'032'768);
}

TEST(LlamaTableTest, APublishedConfigGivesNoWarning) {
  EXPECT_THAT(
      ConfigWarnings(kTinyLlama, DescribeLlama(kTinyLlama, {})->config_names),
      IsEmpty());
}

TEST(LlamaTableTest, ABlockHasItsTensorsInTheOrderOfTheirUse) {
  EXPECT_THAT(
      NamesOf(BuildLlamaTable(Small(LlamaFamily::kLlama)).parameter_blocks[2]),
      ElementsAre("model.layers.1.input_layernorm.weight",
                  "model.layers.1.self_attn.q_proj.weight",
                  "model.layers.1.self_attn.k_proj.weight",
                  "model.layers.1.self_attn.v_proj.weight",
                  "model.layers.1.self_attn.o_proj.weight",
                  "model.layers.1.post_attention_layernorm.weight",
                  "model.layers.1.mlp.gate_proj.weight",
                  "model.layers.1.mlp.up_proj.weight",
                  "model.layers.1.mlp.down_proj.weight"));
}

TEST(LlamaTableTest, QwensHaveBiasesOrNormsOfHeads) {
  LlamaConfig config = Small(LlamaFamily::kQwen2);
  config.has_biases = true;
  const ParameterBlock with_biases =
      BuildLlamaTable(config).parameter_blocks[1];
  ASSERT_EQ(with_biases.tensors.size(), 12);
  EXPECT_EQ(with_biases.tensors[4].name,
            "model.layers.0.self_attn.k_proj.bias");
  EXPECT_THAT(with_biases.tensors[4].shape, ElementsAre(64));
  EXPECT_THAT(with_biases.tensors[3].shape, ElementsAre(64, 64));
  EXPECT_THAT(with_biases.tensors[1].shape, ElementsAre(128, 64));

  config = Small(LlamaFamily::kQwen3);
  config.has_head_norms = true;
  const ParameterBlock with_norms = BuildLlamaTable(config).parameter_blocks[1];
  ASSERT_EQ(with_norms.tensors.size(), 11);
  EXPECT_EQ(with_norms.tensors[4].name,
            "model.layers.0.self_attn.q_norm.weight");
  EXPECT_THAT(with_norms.tensors[4].shape, ElementsAre(32));
  EXPECT_THAT(with_norms.tensors[6].shape, ElementsAre(64, 128));
}

TEST(LlamaTableTest, TheHeadIsTheEmbeddingIfItIsTied) {
  LlamaConfig config = Small(LlamaFamily::kLlama);
  const ModelTable untied = BuildLlamaTable(config);
  EXPECT_THAT(untied.layers.back().parameter_blocks, ElementsAre(3, 4));
  EXPECT_EQ(untied.parameter_blocks[4].tensors[0].name, "lm_head.weight");
  config.tie_word_embeddings = true;
  const ModelTable tied = BuildLlamaTable(config);
  EXPECT_THAT(tied.layers.back().parameter_blocks, ElementsAre(3, 0));
  EXPECT_THAT(tied.parameter_blocks[0].layers, ElementsAre(0, 3));
  EXPECT_EQ(tied.parameter_blocks[0].tensors[0].alias, "lm_head.weight");
  EXPECT_EQ(untied.ParameterCount() - tied.ParameterCount(), 512 * 64);
}

TEST(LlamaTableTest, EachBlockKnowsItsWindow) {
  LlamaConfig config = Small(LlamaFamily::kMistral);
  config.windows = {0, 12};
  const ModelTable table = BuildLlamaTable(config);
  EXPECT_EQ(table.layers[1].attributes.at(llama::kWindow), 0);
  EXPECT_EQ(table.layers[2].attributes.at(llama::kWindow), 12);
}

TEST(LlamaTableTest, RotaryEmbeddingsGoThroughTheAttributes) {
  LlamaConfig config = Small(LlamaFamily::kLlama);
  config.rotary = {5e5, RotaryConfig::Type::kLlama3, 8, 1.5, 3, 16};
  const RotaryConfig read =
      RotaryOf(BuildLlamaTable(config).layers[1].attributes);
  EXPECT_EQ(read.rope_theta, 5e5);
  EXPECT_EQ(read.type, RotaryConfig::Type::kLlama3);
  EXPECT_EQ(read.factor, 8);
  EXPECT_EQ(read.low_freq_factor, 1.5);
  EXPECT_EQ(read.high_freq_factor, 3);
  EXPECT_EQ(read.original_max_position_embeddings, 16);
}

TEST(LlamaTableTest, AJobsDropoutStandsInPlaceOfTheModels) {
  ModelOverrides overrides;
  overrides.dropout = 0.5;
  const auto table = DescribeLlama(kTinyLlama, overrides);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->layers[1].attributes.at(llama::kAttentionDropout), 0.5);
  EXPECT_THAT(table->architecture_key, HasSubstr("dropout=0.5"));
}

// Pilots of earlier versions are found by it.
TEST(LlamaTableTest, TheArchitectureKeyIsWhatItEverWas) {
  LlamaConfig config = Small(LlamaFamily::kMistral);
  config.windows = {12, 12};
  EXPECT_EQ(BuildLlamaTable(config).architecture_key,
            "mistral vocab=512 positions=32 width=64 layers=2 heads=4/2x32 "
            "inner=128 windows=12x2 tied=0 dropout=0 padding=0");
}

}  // namespace
}  // namespace hydra
