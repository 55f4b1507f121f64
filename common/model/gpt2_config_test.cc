#include "common/model/gpt2_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

constexpr char kSmall[] = R"({
  "model_type": "gpt2", "vocab_size": 512, "n_positions": 32, "n_embd": 64,
  "n_layer": 2, "n_head": 4, "n_inner": null, "resid_pdrop": 0.25)";

std::string With(const std::string& more) {
  return absl::StrCat(kSmall, more, "}");
}

std::string ErrorOf(const std::string& json) {
  const absl::Status status = ParseGpt2Config(json).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
  return std::string(status.message());
}

TEST(ParseGpt2ConfigTest, ReadsDimensionsAndFillsDefaults) {
  const absl::StatusOr<Gpt2Config> config = ParseGpt2Config(With(""));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->vocab_size, 512);
  EXPECT_EQ(config->n_inner, 256);
  EXPECT_EQ(config->resid_pdrop, 0.25);
  EXPECT_TRUE(config->tie_word_embeddings);
}

TEST(ParseGpt2ConfigTest, ReportsEveryMistakeAtOnce) {
  const std::string error =
      ErrorOf(R"({"model_type": "gpt2", "vocab_size": 1000000000000,
                  "n_positions": -3, "n_embd": "big", "n_layer": 2.5,
                  "n_head": 4, "layer_norm_epsilon": null})");
  EXPECT_THAT(error, HasSubstr("vocab_size: found 1000000000000"));
  EXPECT_THAT(error, HasSubstr("n_positions: found -3"));
  EXPECT_THAT(error, HasSubstr("n_embd: found \"big\""));
  EXPECT_THAT(error, HasSubstr("n_layer: found 2.5"));
  EXPECT_THAT(error, HasSubstr("layer_norm_epsilon: found null"));
}

TEST(ParseGpt2ConfigTest, RefusesIntegersBeyondSigned64Bits) {
  EXPECT_THAT(ErrorOf(R"({"model_type": "gpt2",
                          "vocab_size": 18446744073709551615})"),
              HasSubstr("vocab_size: found 18446744073709551615"));
}

TEST(ParseGpt2ConfigTest, RefusesArithmeticThatItDoesNotImplement) {
  EXPECT_THAT(ErrorOf(With(R"(, "activation_function": "relu")")),
              HasSubstr("found \"relu\"; supported are gelu_new, "));
  EXPECT_THAT(ErrorOf(With(R"(, "activation_function": "gelu")")),
              HasSubstr("found \"gelu\""));
  EXPECT_THAT(ErrorOf(With(R"(, "reorder_and_upcast_attn": true)")),
              HasSubstr("reorder_and_upcast_attn: found true; only false"));
  EXPECT_THAT(ErrorOf(With(R"(, "scale_attn_weights": null)")),
              HasSubstr("scale_attn_weights: found null"));
  EXPECT_THAT(ErrorOf(With(R"(, "quantization_config": {"bits": 4})")),
              HasSubstr("quantization_config: found an object; not"));
  EXPECT_THAT(ErrorOf(With(R"(, "scale_attn_by_inverse_layer_idx": true)")),
              HasSubstr("scale_attn_by_inverse_layer_idx"));
}

TEST(ParseGpt2ConfigTest, TakesEveryNameOfTheTanhGelu) {
  for (const char* name : {"gelu_new", "gelu_fast", "gelu_pytorch_tanh",
                           "gelu_python_tanh", "gelu_accurate"}) {
    EXPECT_TRUE(
        ParseGpt2Config(
            With(absl::StrCat(", \"activation_function\": \"", name, "\"")))
            .ok());
  }
}

TEST(ParseGpt2ConfigTest, TakesTheNamesThatAllArchitecturesShare) {
  const auto config = ParseGpt2Config(
      R"({"model_type": "gpt2", "vocab_size": 8, "hidden_size": 12,
          "num_attention_heads": 3, "num_hidden_layers": 2,
          "max_position_embeddings": 64})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->n_embd, 12);
  EXPECT_EQ(config->n_head, 3);
  EXPECT_EQ(config->n_layer, 2);
  EXPECT_EQ(config->n_positions, 64);
  EXPECT_TRUE(ParseGpt2Config(With(", \"hidden_size\": 64")).ok());
  EXPECT_THAT(ErrorOf(With(", \"hidden_size\": 32")),
              HasSubstr("n_embd: found 64, and 32 as hidden_size"));
}

TEST(ParseGpt2ConfigTest, TakesNumbersThatOnlyPythonWritesWhereTheyDoNoHarm) {
  EXPECT_TRUE(ParseGpt2Config(With(", \"max_time\": Infinity")).ok());
  EXPECT_THAT(ErrorOf(With(", \"attn_pdrop\": NaN")),
              HasSubstr("attn_pdrop: found NaN; a number from 0"));
}

TEST(ParseGpt2ConfigTest, RefusesHeadsThatDoNotDivideTheWidth) {
  EXPECT_THAT(
      ErrorOf(R"({"model_type": "gpt2", "vocab_size": 8, "n_positions": 8,
                  "n_embd": 10, "n_layer": 1, "n_head": 4})"),
      HasSubstr("it must divide n_embd, 10"));
}

TEST(ParseGpt2ConfigTest, RefusesDimensionsThatTogetherAreTooMany) {
  EXPECT_THAT(
      ErrorOf(R"({"model_type": "gpt2", "vocab_size": 8, "n_positions": 8,
                  "n_embd": 1048576, "n_layer": 10000, "n_head": 4})"),
      HasSubstr("the dimensions make a model of 131941395349897216"));
}

TEST(ParseGpt2ConfigTest, RefusesTextThatIsNoObject) {
  EXPECT_THAT(ErrorOf("[1, 2]"), HasSubstr("expected an object"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("line 1, column 1"));
  EXPECT_THAT(ErrorOf("{\n  \"n_embd\": 64,\n}"),
              HasSubstr("line 2, column 15: a comma before '}'"));
}

}  // namespace
}  // namespace hydra
