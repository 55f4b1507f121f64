#include "worker/data/gpt2_pretokenizer.h"

#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

// The words of `text`, each followed by a bar.
std::string Words(absl::string_view text) {
  std::string words;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = Gpt2WordEnd(text, begin);
    words.append(text.data() + begin, end - begin);
    words += '|';
    begin = end;
  }
  return words;
}

TEST(Gpt2WordEndTest, AWordTakesOneSpaceBeforeIt) {
  EXPECT_EQ(Words("one two"), "one| two|");
  EXPECT_EQ(Words(" one  two"), " one| | two|");
  EXPECT_EQ(Words("a    b"), "a|   | b|");
}

TEST(Gpt2WordEndTest, OtherWhiteSpaceIsLeftAlone) {
  EXPECT_EQ(Words("a\nb"), "a|\n|b|");
  EXPECT_EQ(Words("a\n\nb"), "a|\n|\n|b|");
  EXPECT_EQ(Words("a \nb"), "a| |\n|b|");
  EXPECT_EQ(Words("a\n b"), "a|\n| b|");
  EXPECT_EQ(Words("a\u3000\u3000b"), "a|\u3000|\u3000|b|");
}

TEST(Gpt2WordEndTest, WhiteSpaceAtTheEndIsOneWord) {
  EXPECT_EQ(Words("a \n "), "a| \n |");
  EXPECT_EQ(Words(" "), " |");
}

TEST(Gpt2WordEndTest, LettersNumbersAndTheRestArePartedFromEachOther) {
  EXPECT_EQ(Words("ab12!? 34 .x"), "ab|12|!?| 34| .|x|");
  EXPECT_EQ(Words("e\u0301a"), "e|\u0301|a|");
  EXPECT_EQ(Words("\u0661\u00bd\u6f22a"), "\u0661\u00bd|\u6f22a|");
  EXPECT_EQ(Words("a\u180e\u200b"), "a|\u180e\u200b|");
}

TEST(Gpt2WordEndTest, ContractionsAreLowerCaseAndNotBehindASpace) {
  EXPECT_EQ(Words("it's we'll"), "it|'s| we|'ll|");
  EXPECT_EQ(Words("it'S"), "it|'|S|");
  EXPECT_EQ(Words("it 's"), "it| '|s|");
  EXPECT_EQ(Words("'rest"), "'re|st|");
  EXPECT_EQ(Words("''s"), "''|s|");
}

TEST(Gpt2WordEndTest, KnowsLettersAndNumbersOfUnicode16) {
  EXPECT_EQ(Words("a\U000105c0\U0002ebf0"), "a\U000105c0\U0002ebf0|");
  EXPECT_EQ(Words("1\U00010d40a"), "1\U00010d40|a|");
  EXPECT_EQ(Words("a\u0378"), "a|\u0378|");
}

}  // namespace
}  // namespace hydra
