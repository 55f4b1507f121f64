#include "worker/data/safe_cut.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(LastSafeCutTest, IsTheLastChangeFromWordToAsciiWhiteSpace) {
  EXPECT_EQ(LastSafeCut("one two three", 0), 7);
  EXPECT_EQ(LastSafeCut("one two   ", 0), 7);
  EXPECT_EQ(LastSafeCut("one\n\ntwo", 0), 3);
  EXPECT_EQ(LastSafeCut("\u6f22\u5b57\n", 0), 6);
}

TEST(LastSafeCutTest, LooksOnlyFromTheGivenPlaceOn) {
  EXPECT_EQ(LastSafeCut("one two three", 7), 7);
  EXPECT_EQ(LastSafeCut("one two three", 8), absl::string_view::npos);
}

TEST(LastSafeCutTest, ThereIsNoneWithinAWordOrWithinWhiteSpace) {
  EXPECT_EQ(LastSafeCut("", 0), absl::string_view::npos);
  EXPECT_EQ(LastSafeCut("one", 0), absl::string_view::npos);
  EXPECT_EQ(LastSafeCut("   one", 0), absl::string_view::npos);
  EXPECT_EQ(LastSafeCut("\u3000 one", 0), absl::string_view::npos);
}

TEST(LastSafeCutTest, AnIllFormedByteCountsAsAWord) {
  EXPECT_EQ(LastSafeCut("\xe2\x80 one", 0), 2);
  EXPECT_EQ(LastSafeCut("\x80 one", 0), 1);
}

}  // namespace
}  // namespace hydra
