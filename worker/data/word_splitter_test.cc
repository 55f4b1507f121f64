#include "worker/data/word_splitter.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using Kind = PreTokenizerKind;

// The words of `text`, each followed by a bar.
std::string Words(std::vector<PreTokenizerStep> steps, absl::string_view text,
                  TextPlace place = TextPlace::kStart) {
  std::string words;
  WordSplitter(std::move(steps))
      .Split(text, place, [&](absl::string_view word) {
        absl::StrAppend(&words, word, "|");
      });
  return words;
}

PreTokenizerStep Marked(Kind kind) { return {kind, SplitPattern::kGpt2, '_'}; }

TEST(WordSplitterTest, WithoutStepsTheTextIsOneWord) {
  EXPECT_EQ(Words({}, "a b"), "a b|");
  EXPECT_EQ(Words({}, ""), "");
}

TEST(WordSplitterTest, StepsFollowEachOther) {
  EXPECT_EQ(Words({{Kind::kDigits}, {Kind::kPattern}}, "a b12"), "a| b|1|2|");
  EXPECT_EQ(Words({{Kind::kDigitRuns}}, "a12b"), "a|12|b|");
}

TEST(WordSplitterTest, ASpaceGoesBeforeATextThatHasNone) {
  const std::vector<PreTokenizerStep> steps = {{Kind::kPrefixSpace},
                                               {Kind::kPattern}};
  EXPECT_EQ(Words(steps, "a"), " a|");
  EXPECT_EQ(Words(steps, " a"), " a|");
  EXPECT_EQ(Words(steps, "\na"), " |\n|a|");
  EXPECT_EQ(Words(steps, "a", TextPlace::kInside), " a|");
  EXPECT_EQ(Words(steps, "\na", TextPlace::kCut), "\n|a|");
}

TEST(WordSplitterTest, MarkersStandForSpaces) {
  const std::vector<PreTokenizerStep> always = {Marked(Kind::kMarkSpaces),
                                                Marked(Kind::kPrefixMarker),
                                                Marked(Kind::kSplitAtMarkers)};
  EXPECT_EQ(Words(always, "a  b\nc"), "_a|_|_b\nc|");
  EXPECT_EQ(Words(always, "a", TextPlace::kInside), "_a|");
  EXPECT_EQ(Words(always, "\nb", TextPlace::kCut), "\nb|");
  const std::vector<PreTokenizerStep> first = {
      Marked(Kind::kMarkSpaces), Marked(Kind::kPrefixFirstMarker)};
  EXPECT_EQ(Words(first, "a b"), "_a_b|");
  EXPECT_EQ(Words(first, "a b", TextPlace::kInside), "a_b|");
}

TEST(WordSplitterTest, BertsWordsEndAtWhiteSpaceAndPunctuation) {
  EXPECT_EQ(Words({{Kind::kBert}}, " a,b\u3000\n$c!! "), "a|,|b|$|c|!|!|");
}

}  // namespace
}  // namespace hydra
