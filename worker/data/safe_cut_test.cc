#include "worker/data/safe_cut.h"

#include <string>

#include "gtest/gtest.h"

// tests/tokenizers cuts texts of many kinds at all places that are found.
namespace hydra {
namespace {

constexpr size_t kNone = absl::string_view::npos;

Tokenizer ByPattern(SplitPattern pattern) {
  Tokenizer tokenizer;
  tokenizer.pre_tokenizer = {{PreTokenizerKind::kPattern, pattern}};
  return tokenizer;
}

size_t LastCut(const Tokenizer& tokenizer, absl::string_view text,
               size_t from = 0) {
  return SafeCuts(tokenizer).Last(text, from);
}

size_t LastGpt2Cut(absl::string_view text, size_t from = 0) {
  return LastCut(ByPattern(SplitPattern::kGpt2), text, from);
}

TEST(SafeCutsTest, AreChangesFromWordToAsciiWhiteSpace) {
  EXPECT_EQ(LastGpt2Cut("one two three"), 7);
  EXPECT_EQ(LastGpt2Cut("one two   "), 7);
  EXPECT_EQ(LastGpt2Cut("one\n\ntwo"), 3);
  EXPECT_EQ(LastGpt2Cut("\u6f22\u5b57\n"), 6);
}

TEST(SafeCutsTest, AreLookedForOnlyFromTheGivenPlaceOn) {
  EXPECT_EQ(LastGpt2Cut("one two three", 7), 7);
  EXPECT_EQ(LastGpt2Cut("one two three", 8), kNone);
}

TEST(SafeCutsTest, AreNeitherWithinAWordNorWithinWhiteSpace) {
  EXPECT_EQ(LastGpt2Cut(""), kNone);
  EXPECT_EQ(LastGpt2Cut("one"), kNone);
  EXPECT_EQ(LastGpt2Cut("   one"), kNone);
  EXPECT_EQ(LastGpt2Cut("\u3000 one"), kNone);
}

TEST(SafeCutsTest, AnIllFormedByteCountsAsAWord) {
  EXPECT_EQ(LastGpt2Cut("\xe2\x80 one"), 2);
  EXPECT_EQ(LastGpt2Cut("\x80 one"), 1);
}

TEST(SafeCutsTest, LineEndsMayBelongToWhatIsBeforeThem) {
  EXPECT_EQ(LastCut(ByPattern(SplitPattern::kLlama3), "a b!\nc"), 1);
  EXPECT_EQ(LastCut(ByPattern(SplitPattern::kQwen2), "a b!\nc"), 1);
}

TEST(SafeCutsTest, AreNotWithinAnAddedToken) {
  Tokenizer tokenizer = ByPattern(SplitPattern::kGpt2);
  AddedToken token;
  token.text = "<of text>";
  token.first = true;
  tokenizer.added = {token};
  EXPECT_EQ(LastCut(tokenizer, "a <of text>"), 1);
}

TEST(SafeCutsTest, AreNotBehindATokenThatTakesWhiteSpaceOrGetsASpaceBehindIt) {
  Tokenizer tokenizer = ByPattern(SplitPattern::kGpt2);
  AddedToken token;
  token.text = "<a>";
  tokenizer.added = {token};
  EXPECT_EQ(LastCut(tokenizer, "b <a> c"), 5);
  tokenizer.added[0].rstrip = true;
  EXPECT_EQ(LastCut(tokenizer, "b <a> c"), 1);
  tokenizer.added[0].rstrip = false;
  tokenizer.pre_tokenizer = {{PreTokenizerKind::kPrefixSpace},
                             {PreTokenizerKind::kPattern}};
  EXPECT_EQ(LastCut(tokenizer, "b <a> c"), 1);
}

TEST(SafeCutsTest, AreNotBesideATokenThatMustStandAlone) {
  Tokenizer tokenizer = ByPattern(SplitPattern::kGpt2);
  AddedToken token;
  token.text = "\nword";
  token.single_word = true;
  tokenizer.added = {token};
  EXPECT_EQ(LastCut(tokenizer, "a b\nword"), 1);
  EXPECT_EQ(LastCut(tokenizer, "a b word"), 3);
  EXPECT_EQ(LastCut(tokenizer, "a word b"), 1);
}

TEST(SafeCutsTest, AreNotBehindWhatANormalizerMayRemoveOrMove) {
  Tokenizer tokenizer = ByPattern(SplitPattern::kGpt2);
  const absl::string_view text = "a e\u0301 b";
  EXPECT_EQ(LastCut(tokenizer, text), 5);
  tokenizer.normalizer = {{NormalizerKind::kNfd}};
  EXPECT_EQ(LastCut(tokenizer, text), 1);
  // Halfwidth katakana with a mark that is a letter, and is none in NFKD.
  tokenizer.normalizer = {{NormalizerKind::kNfkd},
                          {NormalizerKind::kStripMarks}};
  EXPECT_EQ(LastCut(tokenizer, "a \uff76\uff9e b"), 1);
}

TEST(SafeCutsTest, AreWhereNoMergeJoinsWhatIsOnBothSides) {
  Tokenizer tokenizer;
  tokenizer.model = TokenModel::kCharacterBpe;
  tokenizer.normalizer = {{NormalizerKind::kReplace, " ", "_"}};
  tokenizer.vocabulary = {{"_", 0}, {"a", 1}, {"b", 2}, {"b_", 3}};
  EXPECT_EQ(LastCut(tokenizer, "a b a"), 3);
  tokenizer.merges = {{{2, 0}, {0, 3}}};
  EXPECT_EQ(LastCut(tokenizer, "a b a"), 1);
}

TEST(SafeCutsTest, WhereDigitsArePartedOnlyASpaceIsNoBeginOfAText) {
  Tokenizer tokenizer;
  tokenizer.pre_tokenizer = {{PreTokenizerKind::kDigits},
                             {PreTokenizerKind::kPrefixSpace},
                             {PreTokenizerKind::kPattern}};
  EXPECT_EQ(LastCut(tokenizer, "a b1\nc"), 1);
}

}  // namespace
}  // namespace hydra
