#include "common/model/llama_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSmall[] = R"({
  "vocab_size": 512, "max_position_embeddings": 32, "hidden_size": 64,
  "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4,
  "num_key_value_heads": 2)";

std::string With(const std::string& more) {
  return absl::StrCat(kSmall, more, "}");
}

LlamaConfig Parse(LlamaFamily family, const std::string& more) {
  const absl::StatusOr<LlamaConfig> config =
      ParseLlamaConfig(family, With(more));
  EXPECT_TRUE(config.ok()) << config.status();
  return config.value_or(LlamaConfig());
}

std::string ErrorOfText(LlamaFamily family, const std::string& json) {
  const absl::Status status = ParseLlamaConfig(family, json).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
  return std::string(status.message());
}

std::string ErrorOf(LlamaFamily family, const std::string& more) {
  return ErrorOfText(family, With(more));
}

TEST(ParseLlamaConfigTest, ReadsDimensionsAndFillsDefaults) {
  const LlamaConfig config = Parse(LlamaFamily::kLlama, "");
  EXPECT_EQ(config.vocab_size, 512);
  EXPECT_EQ(config.max_position_embeddings, 32);
  EXPECT_EQ(config.hidden_size, 64);
  EXPECT_EQ(config.intermediate_size, 128);
  EXPECT_EQ(config.num_key_value_heads, 2);
  EXPECT_EQ(config.head_dim, 16);
  EXPECT_EQ(config.rms_norm_eps, 1e-6);
  EXPECT_EQ(config.padding_token, -1);
  EXPECT_FALSE(config.tie_word_embeddings);
  EXPECT_FALSE(config.has_biases);
  EXPECT_FALSE(config.has_head_norms);
  EXPECT_THAT(config.windows, ElementsAre(0, 0, 0));
}

TEST(ParseLlamaConfigTest, KeysAndValuesHaveAsManyHeadsIfNothingElseIsSaid) {
  constexpr char kWithout[] = R"({
      "vocab_size": 512, "max_position_embeddings": 32, "hidden_size": 64,
      "intermediate_size": 128, "num_hidden_layers": 3,
      "num_attention_heads": 4)";
  const auto llama =
      ParseLlamaConfig(LlamaFamily::kLlama, absl::StrCat(kWithout, "}"));
  ASSERT_TRUE(llama.ok()) << llama.status();
  EXPECT_EQ(llama->num_key_value_heads, 4);
  EXPECT_THAT(ErrorOfText(LlamaFamily::kQwen2, absl::StrCat(kWithout, "}")),
              HasSubstr("num_key_value_heads: missing"));
  const auto qwen2 = ParseLlamaConfig(
      LlamaFamily::kQwen2,
      absl::StrCat(kWithout, R"(, "num_key_value_heads": null})"));
  ASSERT_TRUE(qwen2.ok()) << qwen2.status();
  EXPECT_EQ(qwen2->num_key_value_heads, 4);
}

TEST(ParseLlamaConfigTest, EachFamilyHasItsOwn) {
  EXPECT_TRUE(Parse(LlamaFamily::kQwen2, "").has_biases);
  const LlamaConfig qwen3 = Parse(LlamaFamily::kQwen3, "");
  EXPECT_TRUE(qwen3.has_head_norms);
  EXPECT_EQ(qwen3.head_dim, 128);
  EXPECT_EQ(Parse(LlamaFamily::kQwen3, R"(, "head_dim": 32)").head_dim, 32);
}

TEST(ParseLlamaConfigTest, EveryLayerOfAMistralHasItsWindow) {
  EXPECT_THAT(Parse(LlamaFamily::kMistral, R"(, "sliding_window": 12)").windows,
              ElementsAre(12, 12, 12));
  EXPECT_THAT(
      Parse(LlamaFamily::kMistral, R"(, "sliding_window": null)").windows,
      Each(0));
  EXPECT_THAT(ErrorOf(LlamaFamily::kMistral, ""),
              HasSubstr("sliding_window: missing; an integer from 1"));
}

TEST(ParseLlamaConfigTest, LayersOfAQwenHaveTheWindowWhereItIsInUse) {
  constexpr char kUsed[] = R"(, "use_sliding_window": true)";
  EXPECT_THAT(Parse(LlamaFamily::kQwen2, R"(, "sliding_window": 8)").windows,
              Each(0));
  EXPECT_THAT(
      Parse(LlamaFamily::kQwen2, absl::StrCat(kUsed, R"(, "sliding_window": 8,
                                             "max_window_layers": 1)"))
          .windows,
      ElementsAre(0, 8, 8));
  EXPECT_THAT(
      Parse(LlamaFamily::kQwen2, absl::StrCat(kUsed, R"(, "sliding_window": 8,
                                             "max_window_layers": 0)"))
          .windows,
      ElementsAre(8, 8, 8));
  EXPECT_THAT(Parse(LlamaFamily::kQwen3,
                    absl::StrCat(kUsed, R"(, "sliding_window": 8, "layer_types":
                ["full_attention", "sliding_attention", "full_attention"])"))
                  .windows,
              ElementsAre(0, 8, 0));
}

TEST(ParseLlamaConfigTest, RefusesLayerTypesThatItDoesNotUnderstand) {
  EXPECT_THAT(ErrorOf(LlamaFamily::kQwen3, R"(, "layer_types": ["full"])"),
              HasSubstr("layer_types: found an array of 1; a list of 3, one "
                        "for each layer, is needed"));
  EXPECT_THAT(ErrorOf(LlamaFamily::kQwen3, R"(, "layer_types":
                  ["full_attention", "linear_attention", "full_attention"])"),
              HasSubstr("layer_types: found \"linear_attention\" for layer 1; "
                        "supported are full_attention, sliding_attention"));
  EXPECT_THAT(
      ErrorOf(LlamaFamily::kQwen3, R"(, "layer_types":
                  ["full_attention", "full_attention", "sliding_attention"])"),
      HasSubstr("layer_types: layer 2 is sliding_attention, and there is no "
                "sliding_window in use"));
}

// The number of parameters that follows from all of these is no int64_t.
TEST(ParseLlamaConfigTest, OfWrongNumbersNothingIsCalculated) {
  const absl::StatusOr<LlamaConfig> config =
      ParseLlamaConfig(LlamaFamily::kLlama, R"({
        "vocab_size": 8, "max_position_embeddings": 8, "hidden_size": 1048576,
        "intermediate_size": 16777216, "num_hidden_layers": 10000,
        "num_attention_heads": 1, "num_key_value_heads": 1048576,
        "head_dim": 65536})");
  ASSERT_FALSE(config.ok());
  EXPECT_THAT(
      std::string(config.status().message()),
      AllOf(HasSubstr("num_key_value_heads"), Not(HasSubstr("parameters"))));
}

TEST(ParseLlamaConfigTest, RefusesArithmeticThatItDoesNotImplement) {
  const auto llama = [](const std::string& more) {
    return ErrorOf(LlamaFamily::kLlama, more);
  };
  EXPECT_EQ(llama(R"(, "attention_bias": true)"),
            "attention_bias: found true; only false is supported");
  EXPECT_EQ(llama(R"(, "mlp_bias": true)"),
            "mlp_bias: found true; only false is supported");
  EXPECT_EQ(llama(R"(, "hidden_act": "gelu")"),
            "hidden_act: found \"gelu\"; supported are silu, swish");
  EXPECT_EQ(llama(R"(, "rope_interleaved": true)"),
            "rope_interleaved: found true; only false is supported");
  EXPECT_THAT(llama(R"(, "rope_scaling": {"type": "yarn", "factor": 4})"),
              HasSubstr("rope_scaling.type: found \"yarn\"; supported are"));
  EXPECT_THAT(llama(R"(, "quantization_config": {"bits": 4})"),
              HasSubstr("quantization_config: found an object; not"));
  EXPECT_THAT(llama(R"(, "pruned_heads": {"0": [1]})"),
              HasSubstr("pruned_heads: found an object; not"));
  EXPECT_THAT(ErrorOf(LlamaFamily::kQwen3, R"(, "attention_bias": true)"),
              HasSubstr("attention_bias: found true"));
}

TEST(ParseLlamaConfigTest, RefusesHeadsThatDoNotFit) {
  EXPECT_THAT(ErrorOf(LlamaFamily::kLlama, R"(, "head_dim": 7)"),
              HasSubstr("head_dim: is 7; it must be even"));
  EXPECT_THAT(ErrorOfText(LlamaFamily::kLlama,
                          R"({"vocab_size": 8, "max_position_embeddings": 8,
                      "hidden_size": 10, "intermediate_size": 8,
                      "num_hidden_layers": 1, "num_attention_heads": 4,
                      "num_key_value_heads": 3})"),
              AllOf(HasSubstr("num_key_value_heads: found 3; it must divide "
                              "num_attention_heads, 4"),
                    HasSubstr("num_attention_heads: found 4; it must divide "
                              "hidden_size, 10, where head_dim is not given")));
}

TEST(ParseLlamaConfigTest, ReportsEveryMistakeAtOnce) {
  const std::string error = ErrorOfText(
      LlamaFamily::kLlama,
      R"({"vocab_size": 1000000000000, "max_position_embeddings": -3,
          "hidden_size": "big", "intermediate_size": 2.5,
          "num_attention_heads": 0, "rms_norm_eps": null})");
  EXPECT_THAT(error, HasSubstr("vocab_size: found 1000000000000"));
  EXPECT_THAT(error, HasSubstr("max_position_embeddings: found -3"));
  EXPECT_THAT(error, HasSubstr("hidden_size: found \"big\""));
  EXPECT_THAT(error, HasSubstr("intermediate_size: found 2.5"));
  EXPECT_THAT(error, HasSubstr("num_hidden_layers: missing"));
  EXPECT_THAT(error, HasSubstr("num_attention_heads: found 0"));
  EXPECT_THAT(error, HasSubstr("rms_norm_eps: found null"));
}

TEST(ParseLlamaConfigTest, RefusesDimensionsThatTogetherAreTooMany) {
  const auto error = [](const char* heads) {
    return ErrorOfText(
        LlamaFamily::kLlama,
        absl::StrCat(R"({"vocab_size": 8, "max_position_embeddings": 8,
                         "hidden_size": 1048576, "intermediate_size": 16777216,
                         "num_hidden_layers": 10000, "num_attention_heads": )",
                     heads, R"(, "head_dim": 65536})"));
  };
  EXPECT_THAT(error("256"), HasSubstr("the dimensions make a model of "));
  EXPECT_THAT(error("1048576"),
              HasSubstr("head_dim: all heads together are 68719476736 wide"));
}

TEST(ParseLlamaConfigTest, APaddingTokenCountsFromBehindIfItIsNegative) {
  const auto token = [](const std::string& value) {
    return Parse(LlamaFamily::kLlama,
                 absl::StrCat(", \"pad_token_id\": ", value))
        .padding_token;
  };
  EXPECT_EQ(token("null"), -1);
  EXPECT_EQ(token("0"), 0);
  EXPECT_EQ(token("511"), 511);
  EXPECT_EQ(token("-1"), 511);
  for (const char* wrong : {"512", "-513", "\"x\"", "18446744073709551615"}) {
    EXPECT_THAT(ErrorOf(LlamaFamily::kLlama,
                        absl::StrCat(", \"pad_token_id\": ", wrong)),
                AllOf(HasSubstr(absl::StrCat("pad_token_id: found ", wrong)),
                      HasSubstr("an integer from -512 to 511")));
  }
}

}  // namespace
}  // namespace hydra
