#include "worker/data/word_pattern.h"

#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

// The words of `text`, each followed by a bar.
std::string Words(absl::string_view text,
                  SplitPattern pattern = SplitPattern::kGpt2) {
  std::string words;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = WordEnd(pattern, text, begin);
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

TEST(Llama3WordEndTest, AWordTakesOneCharacterBeforeIt) {
  const auto words = [](absl::string_view text) {
    return Words(text, SplitPattern::kLlama3);
  };
  EXPECT_EQ(words("one two\tthree"), "one| two|\tthree|");
  EXPECT_EQ(words("!one (two"), "!one| (|two|");
  EXPECT_EQ(words("a\nb\r\n c"), "a|\n|b|\r\n| c|");
  EXPECT_EQ(words("a!!\n\n b"), "a|!!\n\n| b|");
  EXPECT_EQ(words("a \n \n  b"), "a| \n \n| | b|");
  EXPECT_EQ(words("a   "), "a|   |");
}

TEST(Llama3WordEndTest, ContractionsHaveAnyCase) {
  EXPECT_EQ(Words("it'S WE'Ll", SplitPattern::kLlama3), "it|'S| WE|'Ll|");
  EXPECT_EQ(Words("a'\u017fb", SplitPattern::kLlama3), "a|'\u017f|b|");
  EXPECT_EQ(Words("'abc", SplitPattern::kLlama3), "'abc|");
}

TEST(Llama3WordEndTest, NumbersHaveAtMostThreeDigitsAndInQwenOne) {
  EXPECT_EQ(Words("a12345 6", SplitPattern::kLlama3), "a|123|45| |6|");
  EXPECT_EQ(Words("a12 3", SplitPattern::kQwen2), "a|1|2| |3|");
}

}  // namespace
}  // namespace hydra
