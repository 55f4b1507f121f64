#include "worker/data/utf8_census.h"

#include <random>
#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

Utf8Faults Judge(const std::string& text, size_t piece_bytes) {
  Utf8Census census;
  for (size_t i = 0; i < text.size(); i += piece_bytes) {
    census.Add(absl::string_view(text).substr(i, piece_bytes));
  }
  return census.Finish();
}

void ExpectSame(const Utf8Faults& actual, const Utf8Faults& expected) {
  EXPECT_EQ(actual.bad_bytes, expected.bad_bytes);
  EXPECT_EQ(actual.first_bad, expected.first_bad);
  EXPECT_EQ(actual.nul_bytes, expected.nul_bytes);
  EXPECT_EQ(actual.first_nul, expected.first_nul);
}

TEST(Utf8CensusTest, FindsNoFaultInText) {
  ExpectSame(Judge("plain, na\u00efve, \u20ac, \U0001f600 and so on\n", 1000),
             {});
  ExpectSame(Judge("", 1), {});
}

TEST(Utf8CensusTest, CountsLatin1AndSaysWhereItBegins) {
  ExpectSame(Judge("caf\xe9 au lait, d\xe9j\xe0 vu", 1000), {3, 3, 0, -1});
}

TEST(Utf8CensusTest, CountsTheNulsOfUtf16) {
  const std::string text("\xff\xfeh\0i\0!\0", 8);
  ExpectSame(Judge(text, 1000), {2, 0, 3, 3});
}

TEST(Utf8CensusTest, ACharacterThatTheFilesEndCutsOffIsBad) {
  ExpectSame(Judge("abc\xe2\x82", 1000), {2, 3, 0, -1});
}

// Half of it is well-formed, and every kind of damage occurs.
std::string Mixture(int seed) {
  std::mt19937 random(seed);
  const std::string parts[] = {
      "word ",           "\u00e9",    "\u20ac", "\U0001f600",   "\xe2\x82",
      "\xf0\x9f\x98",    "\xff",      "\x80",   "\xed\xa0\x80", "\xc0\xaf",
      std::string(1, 0), "0123456789"};
  std::string text;
  for (int i = 0; i < 200; ++i) text += parts[random() % std::size(parts)];
  return text;
}

TEST(Utf8CensusTest, PiecesCutAnywhereCountAsTheWhole) {
  for (int seed = 0; seed < 20; ++seed) {
    const std::string text = Mixture(seed);
    const Utf8Faults whole = Judge(text, text.size());
    EXPECT_GT(whole.bad_bytes, 0);
    for (size_t piece_bytes : {1, 2, 3, 4, 5, 7, 16, 33}) {
      SCOPED_TRACE(piece_bytes);
      ExpectSame(Judge(text, piece_bytes), whole);
    }
  }
}

}  // namespace
}  // namespace hydra
