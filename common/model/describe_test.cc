#include "common/model/describe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/model/gpt2_table.h"

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
  EXPECT_EQ(ErrorOf(R"({"model_type": "llama"})"),
            "model_type: found \"llama\"; only \"gpt2\" is supported");
  EXPECT_EQ(ErrorOf("{}"),
            "model_type: found nothing; only \"gpt2\" is supported");
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

}  // namespace
}  // namespace hydra
