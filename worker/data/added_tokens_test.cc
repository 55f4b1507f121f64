#include "worker/data/added_tokens.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(AddedTokensTest, FindsTheLeftmostAndOfThoseTheLongest) {
  AddedTokens tokens;
  EXPECT_FALSE(tokens.FindIn("<a>").has_value());
  tokens.Add("<a>", 7);
  tokens.Add("<a><b>", 8);
  tokens.Add("\n\n", 9);
  const auto longest = tokens.FindIn("<x> <a><b>");
  ASSERT_TRUE(longest.has_value());
  EXPECT_EQ(longest->begin, 4);
  EXPECT_EQ(longest->size, 6);
  EXPECT_EQ(longest->id, 8u);
  const auto leftmost = tokens.FindIn("x\n\n<a><b>");
  ASSERT_TRUE(leftmost.has_value());
  EXPECT_EQ(leftmost->id, 9u);
  EXPECT_FALSE(tokens.FindIn("<a").has_value());
  EXPECT_FALSE(tokens.FindIn("").has_value());
}

}  // namespace
}  // namespace hydra
