#include "common/tokenizer/normalizer.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace hydra {
namespace {

std::string Apply(std::vector<NormalizerStep> steps, absl::string_view text,
                  bool is_continued = false) {
  return Normalizer(std::move(steps)).Apply(text, is_continued);
}

TEST(NormalizerTest, WithoutStepsTextStaysAsItIs) {
  EXPECT_TRUE(Normalizer({}).empty());
  EXPECT_EQ(Apply({}, "e\u0301"), "e\u0301");
}

TEST(NormalizerTest, ComposesAndDecomposes) {
  EXPECT_EQ(Apply({{NormalizerKind::kNfc}}, "e\u0301"), "\u00e9");
  EXPECT_EQ(Apply({{NormalizerKind::kNfd}}, "\u00e9"), "e\u0301");
  EXPECT_EQ(Apply({{NormalizerKind::kNfkc}}, "\ufb01"), "fi");
  EXPECT_EQ(Apply({{NormalizerKind::kNfkd}}, "\ufb01\u00e9"), "fie\u0301");
}

// U+11938 decomposes since Unicode 13.
TEST(NormalizerTest, WhatIsNewerThanUnicode9StaysAsItIs) {
  EXPECT_EQ(Apply({{NormalizerKind::kNfd}}, "\U00011938"), "\U00011938");
}

TEST(NormalizerTest, LowerCaseIsOfEachCharacterByItself) {
  EXPECT_EQ(Apply({{NormalizerKind::kLowercase}}, "A\u03a3\u0130\u1c89"),
            "a\u03c3i\u0307\u1c8a");
}

TEST(NormalizerTest, NothingIsPutBeforeAnEmptyOrAContinuedText) {
  const std::vector<NormalizerStep> prepend = {
      {NormalizerKind::kPrepend, "", "_"},
      {NormalizerKind::kReplace, " ", "_"}};
  EXPECT_EQ(Apply(prepend, "a b"), "_a_b");
  EXPECT_EQ(Apply(prepend, ""), "");
  EXPECT_EQ(Apply(prepend, " b", /*is_continued=*/true), "_b");
}

TEST(NormalizerTest, ReplacesFromLeftToRight) {
  EXPECT_EQ(Apply({{NormalizerKind::kReplace, "``", "\""}}, "a```b"), "a\"`b");
}

TEST(NormalizerTest, BertCleansTextAndSpacesOutChinese) {
  EXPECT_EQ(Apply({{NormalizerKind::kBertClean}}, "a\x01\t\u3000\ufffd\u200db"),
            "a  b");
  EXPECT_EQ(Apply({{NormalizerKind::kBertChinese}}, "a\u6f22\u5b57"),
            "a \u6f22  \u5b57 ");
  EXPECT_EQ(
      Apply({{NormalizerKind::kNfd}, {NormalizerKind::kBertAccents}}, "\u00e9"),
      "e");
  EXPECT_EQ(Apply({{NormalizerKind::kStripMarks}}, "e\u0301"), "e");
}

}  // namespace
}  // namespace hydra
