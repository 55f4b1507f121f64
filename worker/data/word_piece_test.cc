#include "worker/data/word_piece.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

Tokenizer Small() {
  Tokenizer tokenizer;
  tokenizer.model = TokenModel::kWordPiece;
  tokenizer.vocabulary = {{"[UNK]", 0}, {"un", 1},      {"u", 2},
                          {"##n", 3},   {"##known", 4}, {"##\u00e9", 5}};
  tokenizer.unknown_id = 0;
  tokenizer.continuation_prefix = "##";
  tokenizer.max_word_characters = 7;
  return tokenizer;
}

std::vector<uint32_t> Encode(absl::string_view word) {
  const Tokenizer tokenizer = Small();
  std::vector<uint32_t> ids = {77};
  WordPiece(&tokenizer).Encode(word, &ids);
  return ids;
}

TEST(WordPieceTest, TakesTheLongestTokens) {
  EXPECT_THAT(Encode("unknown"), ElementsAre(77, 1, 4));
  EXPECT_THAT(Encode("u\u00e9n"), ElementsAre(77, 2, 5, 3));
}

TEST(WordPieceTest, AWordThatTokensDoNotMakeUpIsUnknown) {
  EXPECT_THAT(Encode("unx"), ElementsAre(77, 0));
  EXPECT_THAT(Encode("n"), ElementsAre(77, 0));
  EXPECT_THAT(Encode("u\u00e8"), ElementsAre(77, 0));
}

TEST(WordPieceTest, AWordOfTooManyCharactersIsUnknown) {
  EXPECT_THAT(Encode("unnnnnn"), ElementsAre(77, 1, 3, 3, 3, 3, 3));
  EXPECT_THAT(Encode("unnnnnnn"), ElementsAre(77, 0));
  EXPECT_THAT(Encode("u\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"),
              ElementsAre(77, 2, 5, 5, 5, 5, 5, 5));
}

}  // namespace
}  // namespace hydra
