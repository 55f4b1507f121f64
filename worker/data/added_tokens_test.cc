#include "worker/data/added_tokens.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

// The ids of what was found, and what is between in brackets with its place.
std::string Split(const AddedTokens& tokens, absl::string_view text) {
  std::string parts;
  size_t done = 0;
  tokens.Split(
      text,
      [&](uint32_t id, size_t begin, size_t end) {
        // Nothing is left out, and nothing is told twice.
        EXPECT_EQ(begin, done);
        absl::StrAppend(&parts, id);
        done = end;
      },
      [&](absl::string_view rest, size_t begin) {
        EXPECT_EQ(begin, done);
        absl::StrAppend(&parts, "[", rest, "@", begin, "]");
        done = begin + rest.size();
      });
  EXPECT_EQ(done, text.size());
  return parts;
}

AddedToken Token(std::string text, uint32_t id) {
  AddedToken token;
  token.text = std::move(text);
  token.id = id;
  return token;
}

TEST(AddedTokensTest, FindsTheLeftmostAndOfThoseTheLongest) {
  AddedTokens tokens;
  EXPECT_EQ(Split(tokens, "<a>"), "[<a>@0]");
  tokens.Add(Token("<a>", 7));
  tokens.Add(Token("<a><b>", 8));
  tokens.Add(Token("\n\n", 9));
  EXPECT_EQ(Split(tokens, "<x> <a><b>"), "[<x> @0]8");
  EXPECT_EQ(Split(tokens, "x\n\n<a><b>"), "[x@0]98");
  EXPECT_EQ(Split(tokens, "<a"), "[<a@0]");
  EXPECT_EQ(Split(tokens, ""), "");
}

TEST(AddedTokensTest, TakesWhiteSpaceAlongWhereItShall) {
  AddedTokens tokens;
  AddedToken left = Token("<l>", 1);
  left.lstrip = true;
  tokens.Add(left);
  AddedToken right = Token("<r>", 2);
  right.rstrip = true;
  tokens.Add(right);
  EXPECT_EQ(Split(tokens, "a \u3000<l> b"), "[a@0]1[ b@8]");
  EXPECT_EQ(Split(tokens, "a <r> \u3000b"), "[a @0]2[b@9]");
  // Nothing is left between them for the second one.
  EXPECT_EQ(Split(tokens, "<r>  <l>"), "21");
}

TEST(AddedTokensTest, ASingleWordStandsAlone) {
  AddedTokens tokens;
  AddedToken token = Token("ing", 3);
  token.single_word = true;
  tokens.Add(token);
  EXPECT_EQ(Split(tokens, "ing"), "3");
  EXPECT_EQ(Split(tokens, "(ing)"), "[(@0]3[)@4]");
  EXPECT_EQ(Split(tokens, "sing ing_ ing\u00e9"), "[sing ing_ ing\u00e9@0]");
}

}  // namespace
}  // namespace hydra
