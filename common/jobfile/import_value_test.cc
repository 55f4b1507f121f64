#include "common/jobfile/import_value.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

using Kind = YamlNode::Kind;

YamlNode Scalar(absl::string_view text) {
  YamlNode node;
  node.kind = Kind::kScalar;
  node.text = std::string(text);
  return node;
}

YamlNode Empty(Kind kind) {
  YamlNode node;
  node.kind = kind;
  return node;
}

TEST(ImportValueTest, WhatHoldsNoValueIsNothing) {
  for (Kind kind : {Kind::kNull, Kind::kScalar, Kind::kSequence, Kind::kMap}) {
    EXPECT_TRUE(IsNothing(Empty(kind)));
  }
  EXPECT_FALSE(IsNothing(Scalar("0")));
  YamlNode list = Empty(Kind::kSequence);
  list.items.push_back(Empty(Kind::kNull));
  EXPECT_FALSE(IsNothing(list));
}

TEST(ImportValueTest, ShowsTextsQuotedAndOthersByTheirKind) {
  EXPECT_EQ(Shown(Scalar("a")), "'a'");
  EXPECT_EQ(Shown(Empty(Kind::kSequence)), "a list");
  EXPECT_EQ(Shown(Empty(Kind::kMap)), "a section of keys");
}

TEST(ImportValueTest, KnowsOtherWordsForTrueAndFalse) {
  EXPECT_EQ(WithoutSynonyms("Yes"), "true");
  EXPECT_EQ(WithoutSynonyms("on"), "true");
  EXPECT_EQ(WithoutSynonyms("NO"), "false");
  EXPECT_EQ(WithoutSynonyms("off"), "false");
  EXPECT_EQ(WithoutSynonyms("BF16"), "bf16");
}

TEST(ImportValueTest, NumbersAreComparedByTheirValue) {
  EXPECT_TRUE(IsSame("0", "0.0"));
  EXPECT_FALSE(IsSame("0", "none"));
  EXPECT_TRUE(IsOneOf("false|0|none", Scalar("0.0")));
  EXPECT_TRUE(IsOneOf("false|0|none", Scalar("No")));
  EXPECT_FALSE(IsOneOf("false|0|none", Scalar("1")));
  EXPECT_FALSE(IsOneOf("", Scalar("")));
  EXPECT_FALSE(IsOneOf("false", Empty(Kind::kMap)));
}

}  // namespace
}  // namespace hydra
