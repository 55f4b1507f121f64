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
              HasSubstr("only \"gelu_new\" is supported"));
  EXPECT_THAT(ErrorOf(With(R"(, "scale_attn_by_inverse_layer_idx": true)")),
              HasSubstr("scale_attn_by_inverse_layer_idx"));
  EXPECT_THAT(ErrorOf(R"({"model_type": "llama"})"),
              HasSubstr("found \"llama\""));
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
  EXPECT_THAT(ErrorOf("[1, 2"), HasSubstr("not a JSON object"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("not a JSON object"));
}

// The message was made by a function that calls itself.
TEST(ParseGpt2ConfigTest, RefusesValuesNestedDeeperThanTheStack) {
  const int depth = 200'000;
  const std::string nested = std::string(depth, '[') + std::string(depth, ']');
  EXPECT_THAT(ErrorOf("{\"model_type\": " + nested + "}"),
              HasSubstr("model_type: found an array"));
  EXPECT_THAT(ErrorOf(With(", \"n_inner\": " + nested)),
              HasSubstr("n_inner: found an array"));
}

TEST(ParseGpt2ConfigTest, ShowsTheBeginningOfALongValue) {
  EXPECT_EQ(
      ErrorOf("{\"model_type\": \"" + std::string(1000, 'x') + "\"}").size(),
      ErrorOf("{\"model_type\": \"" + std::string(2000, 'x') + "\"}").size());
}

}  // namespace
}  // namespace hydra
