#include "worker/data/byte_bpe.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

// Bytes are their own ids; "ab" is 300, " ab" is 301.
Tokenizer Small() {
  Tokenizer tokenizer;
  for (uint32_t byte = 0; byte < 256; ++byte) tokenizer.byte_ids[byte] = byte;
  tokenizer.vocabulary = {
      {"a", 'a'}, {"b", 'b'}, {"ab", 300}, {"\u0120ab", 301}};
  tokenizer.merges = {{{'a', 'b'}, {0, 300}}};
  return tokenizer;
}

std::vector<uint32_t> Encode(const Tokenizer& tokenizer,
                             absl::string_view word) {
  std::vector<uint32_t> ids;
  ByteBpe(&tokenizer).Encode(word, &ids);
  return ids;
}

TEST(ByteBpeTest, MergesBytes) {
  EXPECT_THAT(Encode(Small(), "\u00e9ab"), ElementsAre(0xc3, 0xa9, 300));
  EXPECT_THAT(Encode(Small(), " ab"), ElementsAre(' ', 300));
}

TEST(ByteBpeTest, AWordThatIsATokenNeedsNoMergesWhereTheyAreIgnored) {
  Tokenizer tokenizer = Small();
  tokenizer.ignore_merges = true;
  EXPECT_THAT(Encode(tokenizer, " ab"), ElementsAre(301));
  EXPECT_THAT(Encode(tokenizer, " abb"), ElementsAre(' ', 300, 'b'));
}

}  // namespace
}  // namespace hydra
