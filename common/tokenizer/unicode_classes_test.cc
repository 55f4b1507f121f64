#include "common/tokenizer/unicode_classes.h"

#include "gtest/gtest.h"

// All code points are compared with Hugging Face's in
// tests/tokenizers/tokenizers_test.cc.
namespace hydra {
namespace {

TEST(UnicodeClassesTest, NewLettersAndNumbersAreKnownToAnyIcu) {
  EXPECT_EQ(ClassifyForPatterns(0x1c89), CharClass::kLetter);
  EXPECT_EQ(ClassifyForPatterns(0x2ebf0), CharClass::kLetter);
  EXPECT_EQ(ClassifyForPatterns(0x10d40), CharClass::kNumber);
  EXPECT_EQ(ClassifyForPatterns(0x11de0), CharClass::kOther);
  EXPECT_TRUE(IsNumeric(0x11de0));
  EXPECT_TRUE(IsWordCharacter(0x1c89));
  EXPECT_EQ(ToLowerCase(0x1c89), 0x1c8au);
  EXPECT_EQ(ToLowerCase(0x10d65), 0x10d85u);
}

TEST(UnicodeClassesTest, BertsClassesAreThoseOfItsTime) {
  EXPECT_TRUE(IsBertControl(0x200d));
  EXPECT_FALSE(IsBertControl('\n'));
  EXPECT_TRUE(IsBertControl(0xe000));
  EXPECT_FALSE(IsBertControl(0x110cd));  // Unicode 11.
  EXPECT_TRUE(IsBertAccent(0x301));
  EXPECT_FALSE(IsBertAccent(0x1df5 + 2));  // Unicode 10.
  EXPECT_TRUE(IsBertPunctuation('$'));
  EXPECT_TRUE(IsBertPunctuation(0x3002));
  EXPECT_FALSE(IsBertPunctuation(0x20ac));
  EXPECT_TRUE(IsBertChinese(0x6f22));
  EXPECT_FALSE(IsBertChinese(0x3042));
}

TEST(UnicodeClassesTest, OnlyWhatStaysWhereItIsIsStable) {
  for (const char32_t c : {U'a', U'1', U'.', U'+', char32_t{0x6f22}}) {
    EXPECT_TRUE(IsStable(c)) << static_cast<uint32_t>(c);
  }
  for (const char32_t c : {U' ', U'\0', char32_t{0x301}, char32_t{0xfffd},
                           char32_t{0x200d}, char32_t{0x378}}) {
    EXPECT_FALSE(IsStable(c)) << static_cast<uint32_t>(c);
  }
}

}  // namespace
}  // namespace hydra
