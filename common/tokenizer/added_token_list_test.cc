#include "common/tokenizer/added_token_list.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

class AddedTokenListTest : public testing::Test {
 protected:
  static Tokenizer WithTwoTokens() {
    Tokenizer tokenizer;
    tokenizer.vocabulary = {{"a", 0}, {"<x>", 1}};
    return tokenizer;
  }

  absl::Status Add(const Json& token, std::optional<int64_t> id = std::nullopt,
                   bool is_special = false) {
    return list_.Add(token, "here", id, is_special);
  }

  Tokenizer tokenizer_ = WithTwoTokens();
  AddedTokenList list_{&tokenizer_};
};

TEST_F(AddedTokenListTest, WhatTheVocabularyDoesNotHaveComesBehindIt) {
  EXPECT_TRUE(list_.AddUnnamed("<eot>", "here").ok());
  EXPECT_TRUE(Add("<x>").ok());
  EXPECT_TRUE(Add({{"content", "<y>"}, {"rstrip", true}}, 3).ok());
  ASSERT_EQ(tokenizer_.added.size(), 3);
  EXPECT_EQ(tokenizer_.added[0].id, 2u);
  EXPECT_TRUE(tokenizer_.added[0].first);
  EXPECT_EQ(tokenizer_.added[1].id, 1u);
  EXPECT_FALSE(tokenizer_.added[1].first);
  EXPECT_EQ(tokenizer_.added[2].id, 3u);
  EXPECT_TRUE(tokenizer_.added[2].rstrip);
}

TEST_F(AddedTokenListTest, SpecialTokensAreLookedForFirstUnlessTheySayNot) {
  EXPECT_TRUE(Add("<s>", std::nullopt, /*is_special=*/true).ok());
  EXPECT_TRUE(Add({{"content", "<t>"}, {"normalized", true}}, std::nullopt,
                  /*is_special=*/true)
                  .ok());
  EXPECT_TRUE(tokenizer_.added[0].first);
  EXPECT_FALSE(tokenizer_.added[1].first);
}

TEST_F(AddedTokenListTest, TheFirstTimeCounts) {
  EXPECT_TRUE(Add({{"content", "<y>"}, {"lstrip", true}}).ok());
  EXPECT_TRUE(Add("<y>").ok());
  ASSERT_EQ(tokenizer_.added.size(), 1);
  EXPECT_TRUE(tokenizer_.added[0].lstrip);
}

TEST_F(AddedTokenListTest, RefusesWhatCannotBe) {
  EXPECT_THAT(Add("").message(), HasSubstr("here: a token without a text"));
  EXPECT_THAT(Add(5).message(), HasSubstr("a token without a text"));
  EXPECT_THAT(Add("<y>", 7).message(),
              HasSubstr("token '<y>' has id 7; transformers gives it 2"));
}

TEST_F(AddedTokenListTest, AVocabularyWithAHoleGivesNoIdTwice) {
  Tokenizer tokenizer;
  tokenizer.vocabulary = {{"a", 0}, {"b", 2}};
  AddedTokenList list(&tokenizer);
  EXPECT_THAT(list.Add("<y>", "here", std::nullopt, false).message(),
              HasSubstr("token '<y>' gets id 2, which 'b' has"));
}

}  // namespace
}  // namespace hydra
