#include "worker/data/character_bpe.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Tokenizer Small() {
  Tokenizer tokenizer;
  tokenizer.model = TokenModel::kCharacterBpe;
  tokenizer.vocabulary = {{"a", 1}, {"\u00e9", 2}, {"a\u00e9", 3}};
  tokenizer.merges = {{{1, 2}, {0, 3}}};
  return tokenizer;
}

std::vector<uint32_t> Encode(const Tokenizer& tokenizer,
                             absl::string_view word) {
  std::vector<uint32_t> ids;
  CharacterBpe(&tokenizer).Encode(word, &ids);
  return ids;
}

TEST(CharacterBpeTest, MergesCharacters) {
  EXPECT_THAT(Encode(Small(), "aa\u00e9"), ElementsAre(1, 3));
}

TEST(CharacterBpeTest, WithoutAnUnknownTokenUnknownCharactersAreLeftOut) {
  EXPECT_THAT(Encode(Small(), "x"), IsEmpty());
  EXPECT_THAT(Encode(Small(), "ax\u00e9"), ElementsAre(3));
}

TEST(CharacterBpeTest, UnknownCharactersMayBeFused) {
  Tokenizer tokenizer = Small();
  tokenizer.unknown_id = 9;
  EXPECT_THAT(Encode(tokenizer, "xya"), ElementsAre(9, 9, 1));
  tokenizer.fuse_unknown = true;
  EXPECT_THAT(Encode(tokenizer, "xyaz"), ElementsAre(9, 1, 9));
}

TEST(CharacterBpeTest, BytesStandForACharacterThatHasAllOfThem) {
  Tokenizer tokenizer = Small();
  tokenizer.unknown_id = 9;
  tokenizer.byte_tokens.assign(256, kNoByteToken);
  tokenizer.byte_tokens['x'] = 20;
  EXPECT_THAT(Encode(tokenizer, "xa"), ElementsAre(20, 1));
  EXPECT_THAT(Encode(tokenizer, "\u0416a"), ElementsAre(9, 1));
}

TEST(CharacterBpeTest, AWordThatIsATokenNeedsNoMergesWhereTheyAreIgnored) {
  Tokenizer tokenizer = Small();
  tokenizer.merges.clear();
  EXPECT_THAT(Encode(tokenizer, "a\u00e9"), ElementsAre(1, 2));
  tokenizer.ignore_merges = true;
  EXPECT_THAT(Encode(tokenizer, "a\u00e9"), ElementsAre(3));
}

}  // namespace
}  // namespace hydra
