#include "common/tokenizer/byte_symbols.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(BytesOfSymbolsTest, EachSymbolStandsForAByte) {
  EXPECT_EQ(BytesOfSymbols(""), "");
  EXPECT_EQ(BytesOfSymbols("\u0120ab"), " ab");
  EXPECT_EQ(BytesOfSymbols("\u010a\u00c3\u00a9"), "\n\u00e9");
  EXPECT_EQ(BytesOfSymbols("\u0100"), std::string(1, '\0'));
  EXPECT_EQ(BytesOfSymbols("\u0143"), "\xad");
}

TEST(BytesOfSymbolsTest, OtherCharactersStandForNone) {
  EXPECT_EQ(BytesOfSymbols("a b"), std::nullopt);
  EXPECT_EQ(BytesOfSymbols("\u0144"), std::nullopt);
  EXPECT_EQ(BytesOfSymbols("\u6f22"), std::nullopt);
}

TEST(FindByteIdsTest, EveryByteNeedsAToken) {
  EXPECT_EQ(FindByteIds({{"a", 0}}).status().message(),
            "has no token \"\u0100\", which stands for byte 0x00");
}

}  // namespace
}  // namespace hydra
