#include "common/model/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/model/gpt2_table.h"
#include "common/model/llama_table.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

constexpr char kSmall[] = R"({
  "model_type": "gpt2", "vocab_size": 512, "n_positions": 32, "n_embd": 64,
  "n_layer": 2, "n_head": 4, "attn_pdrop": 0.25, "embd_pdrop": 0.125})";

std::string ErrorOf(const std::string& json) {
  const absl::Status status = Describe(json, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
  return std::string(status.message());
}

TEST(DescribeTest, FindsTheFamilyByTheModelType) {
  const auto table = Describe(kSmall, {});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->layer_count(), 4);
  EXPECT_EQ(table->vocabulary_size, 512);
  EXPECT_EQ(table->longest_context, 32);
  EXPECT_EQ(table->layers[1].attributes.at(gpt2::kAttentionDropout), 0.25);
}

TEST(DescribeTest, AJobsDropoutStandsInPlaceOfEveryOneOfTheModel) {
  ModelOverrides overrides;
  overrides.dropout = 0.5;
  const auto table = Describe(kSmall, overrides);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->layers[0].attributes.at(gpt2::kDropout), 0.5);
  EXPECT_EQ(table->layers[1].attributes.at(gpt2::kDropout), 0.5);
  EXPECT_EQ(table->layers[1].attributes.at(gpt2::kAttentionDropout), 0.5);
  EXPECT_THAT(table->architecture_key, HasSubstr("dropout=0.5,0.5,0.5"));
}

TEST(DescribeTest, AnotherModelTypeIsNamed) {
  constexpr char kSupported[] =
      "; supported are \"gpt2\", \"hydra_chain\", \"llama\", \"mistral\", "
      "\"qwen2\", \"qwen3\", \"resnet\", \"vit\"; any other classifier that is "
      "a chain of PyTorch layers can be exported with python -m hydrad.export "
      "(docs/job-file.md, \"Chains of your own\")";
  EXPECT_EQ(ErrorOf(R"({"model_type": "mamba"})"),
            absl::StrCat("model_type: found \"mamba\"", kSupported));
  EXPECT_EQ(ErrorOf("{}"),
            absl::StrCat("model_type: found nothing", kSupported));
}

TEST(DescribeTest, EachFamilyIsDescribedByItsOwnRules) {
  constexpr char kRest[] = R"(", "vocab_size": 512, "hidden_size": 64,
      "max_position_embeddings": 32, "intermediate_size": 128,
      "num_hidden_layers": 2, "num_attention_heads": 4,
      "num_key_value_heads": 2, "sliding_window": 8})";
  for (const auto& [type, language_model] :
       std::map<std::string, std::string>{{"llama", "LlamaForCausalLM"},
                                          {"mistral", "MistralForCausalLM"},
                                          {"qwen2", "Qwen2ForCausalLM"},
                                          {"qwen3", "Qwen3ForCausalLM"}}) {
    const auto table =
        Describe(absl::StrCat(R"({"model_type": ")", type, kRest), {});
    ASSERT_TRUE(table.ok()) << table.status();
    EXPECT_EQ(table->config_names.model_class, language_model);
    const auto& attributes = table->layers[1].attributes;
    EXPECT_EQ(attributes.at(llama::kHasBiases), type == "qwen2") << type;
    EXPECT_EQ(attributes.at(llama::kHasHeadNorms), type == "qwen3") << type;
    EXPECT_EQ(attributes.at(llama::kWindow), type == "mistral" ? 8 : 0) << type;
    EXPECT_EQ(attributes.at(llama::kHeadWidth), type == "qwen3" ? 128 : 16);
  }
}

// The message was made by a function that calls itself.
TEST(DescribeTest, RefusesValuesNestedDeeperThanTheStack) {
  const int depth = 200'000;
  const std::string nested = std::string(depth, '[') + std::string(depth, ']');
  EXPECT_THAT(ErrorOf("{\"model_type\": " + nested + "}"),
              HasSubstr("nested deeper than"));
  EXPECT_THAT(ErrorOf("{\"model_type\": [[]]}"),
              HasSubstr("model_type: found an array"));
}

TEST(DescribeTest, ShowsTheBeginningOfALongValue) {
  EXPECT_EQ(
      ErrorOf("{\"model_type\": \"" + std::string(1000, 'x') + "\"}").size(),
      ErrorOf("{\"model_type\": \"" + std::string(2000, 'x') + "\"}").size());
}

TEST(DescribeTest, EqualContentsAreThoseOfEqualTables) {
  ModelOverrides half, other, none;
  half.dropout = 0.5;
  other.dropout = 0.5 + 1e-12;
  EXPECT_EQ(DescriptionContent(kSmall, half), DescriptionContent(kSmall, half));
  EXPECT_NE(DescriptionContent(kSmall, half), DescriptionContent(kSmall, none));
  EXPECT_NE(DescriptionContent(kSmall, half),
            DescriptionContent(kSmall, other));
  EXPECT_NE(DescriptionContent("{}", half), DescriptionContent(kSmall, half));
}

TEST(DescribeTest, WhatAJobSaysOfItsLayersIsPartOfTheTableAndTheContent) {
  hydra::v1::JobSpec job;
  const auto content = [&job] {
    return DescriptionContent(kSmall, OverridesOf(job));
  };
  const std::string plain = content();
  job.mutable_model()->add_frozen("transformer.h.0.*");
  EXPECT_TRUE(Describe(kSmall, OverridesOf(job))->parameter_blocks[2].frozen);
  const std::string frozen = content();
  EXPECT_NE(frozen, plain);
  job.mutable_model()->set_frozen(0, "transformer.h.1.*");
  EXPECT_NE(content(), frozen);
  job.clear_model();
  job.mutable_lora()->set_r(4);
  job.mutable_lora()->set_lora_alpha(8);
  EXPECT_EQ(Describe(kSmall, OverridesOf(job))->lora->r, 4);
  std::string before = content();
  EXPECT_NE(before, plain);
  const auto expect_another = [&] {
    EXPECT_NE(content(), before) << job.lora().ShortDebugString();
    before = content();
  };
  job.mutable_lora()->set_r(8);
  expect_another();
  job.mutable_lora()->set_lora_alpha(16);
  expect_another();
  job.mutable_lora()->set_lora_dropout(0.1);
  expect_another();
  job.mutable_lora()->set_use_rslora(true);
  expect_another();
  job.mutable_lora()->add_target_modules("c_proj");
  expect_another();
}

}  // namespace
}  // namespace hydra
