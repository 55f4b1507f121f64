#include "common/model/bert_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr char kSizes[] = R"({
  "vocab_size": 100, "hidden_size": 64, "num_hidden_layers": 3,
  "num_attention_heads": 4, "intermediate_size": 128,
  "max_position_embeddings": 32)";
constexpr char kMasked[] = R"(, "architectures": ["BertForMaskedLM"])";
constexpr char kClasses[] =
    R"(, "architectures": ["BertForSequenceClassification"])";

BertConfig Parse(const std::string& more) {
  const absl::StatusOr<BertConfig> config =
      ParseBertConfig(absl::StrCat(kSizes, more, "}"));
  EXPECT_TRUE(config.ok()) << config.status();
  return config.value_or(BertConfig());
}

std::string ErrorOf(const std::string& more) {
  const absl::Status status =
      ParseBertConfig(absl::StrCat(kSizes, more, "}")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << more;
  return std::string(status.message());
}

TEST(ParseBertConfigTest, ReadsDimensionsAndFillsDefaults) {
  const BertConfig config = Parse(kMasked);
  EXPECT_EQ(config.head, BertHead::kMaskedTokens);
  EXPECT_EQ(config.vocab_size, 100);
  EXPECT_EQ(config.hidden_size, 64);
  EXPECT_EQ(config.num_hidden_layers, 3);
  EXPECT_EQ(config.num_attention_heads, 4);
  EXPECT_EQ(config.intermediate_size, 128);
  EXPECT_EQ(config.max_position_embeddings, 32);
  EXPECT_EQ(config.type_vocab_size, 2);
  EXPECT_EQ(config.layer_norm_eps, 1e-12);
  EXPECT_EQ(config.hidden_dropout_prob, 0.1);
  EXPECT_EQ(config.classifier_dropout, 0.1);
  EXPECT_EQ(config.padding_token, 0);
  EXPECT_TRUE(config.tie_word_embeddings);
}

TEST(ParseBertConfigTest, TheArchitectureSaysWhichHead) {
  EXPECT_EQ(Parse(kClasses).head, BertHead::kClass);
  EXPECT_EQ(Parse(R"(, "architectures": ["BertForPreTraining"])").head,
            BertHead::kMaskedTokens);
  EXPECT_THAT(ErrorOf(R"(, "architectures": ["BertModel"])"),
              AllOf(HasSubstr("architectures: found [\"BertModel\"]"),
                    HasSubstr("BertForSequenceClassification")));
  EXPECT_THAT(ErrorOf(""), HasSubstr("architectures: found nothing"));
}

TEST(ParseBertConfigTest, ClassesHaveNumbersAndNames) {
  const BertConfig unnamed = Parse(kClasses);
  EXPECT_EQ(unnamed.num_labels, 2);
  EXPECT_TRUE(unnamed.labels.empty());
  const BertConfig by_id = Parse(absl::StrCat(
      kClasses, R"(, "id2label": {"0": "bad", "1": "good", "2": "so-so"})"));
  EXPECT_EQ(by_id.num_labels, 3);
  EXPECT_THAT(by_id.labels,
              ElementsAre(Pair("bad", 0), Pair("good", 1), Pair("so-so", 2)));
  const BertConfig by_name =
      Parse(absl::StrCat(kClasses, R"(, "id2label": {"0": "bad", "1": "good"},
                   "label2id": {"negative": 0, "positive": 1})"));
  EXPECT_THAT(by_name.labels,
              ElementsAre(Pair("negative", 0), Pair("positive", 1)));
  EXPECT_EQ(Parse(absl::StrCat(kClasses, R"(, "num_labels": 5)")).num_labels,
            5);
}

TEST(ParseBertConfigTest, WrongClassesAreNamed) {
  const auto error = [](const std::string& more) {
    return ErrorOf(absl::StrCat(kClasses, more));
  };
  EXPECT_THAT(error(R"(, "num_labels": 1)"),
              HasSubstr("num_labels: found 1 classes; at least 2"));
  EXPECT_THAT(error(R"(, "id2label": ["a", "b"])"), HasSubstr("id2label: "));
  EXPECT_THAT(error(R"(, "label2id": {"a": 0, "b": 2})"),
              HasSubstr("label2id: 'b' has the number 2; the model has "
                        "classes 0 to 1"));
  EXPECT_THAT(error(R"(, "problem_type": "regression")"),
              HasSubstr("problem_type: "));
}

TEST(ParseBertConfigTest, AnotherDropoutOfTheClassifierCounts) {
  EXPECT_EQ(Parse(absl::StrCat(kClasses, R"(, "hidden_dropout_prob": 0.3,
                                             "classifier_dropout": null)"))
                .classifier_dropout,
            0.3);
  EXPECT_EQ(Parse(absl::StrCat(kClasses, R"(, "hidden_dropout_prob": 0.3,
                                             "classifier_dropout": 0.5)"))
                .classifier_dropout,
            0.5);
}

TEST(ParseBertConfigTest, WhatItsLayersDoNotComputeIsRefused) {
  const auto error = [](const std::string& more) {
    return ErrorOf(absl::StrCat(kMasked, more));
  };
  EXPECT_THAT(error(R"(, "hidden_act": "relu")"), HasSubstr("hidden_act: "));
  EXPECT_THAT(error(R"(, "is_decoder": true)"), HasSubstr("is_decoder: "));
  EXPECT_THAT(error(R"(, "position_embedding_type": "relative_key")"),
              HasSubstr("position_embedding_type: "));
  EXPECT_THAT(error(R"(, "pad_token_id": 100)"),
              HasSubstr("pad_token_id: found 100; an id below vocab_size"));
  EXPECT_THAT(error(R"(, "type_vocab_size": 1000)"),
              HasSubstr("type_vocab_size: "));
}

TEST(ParseBertConfigTest, HeadsMustDivideTheWidth) {
  EXPECT_THAT(ParseBertConfig(R"({
    "architectures": ["BertForMaskedLM"], "vocab_size": 100,
    "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 5,
    "intermediate_size": 128, "max_position_embeddings": 32})")
                  .status()
                  .message(),
              HasSubstr("num_attention_heads: found 5; it must divide"));
}

}  // namespace
}  // namespace hydra
