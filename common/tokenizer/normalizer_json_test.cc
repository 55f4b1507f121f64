#include "common/tokenizer/normalizer_json.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = NormalizerKind;

absl::StatusOr<std::vector<NormalizerStep>> Read(const Json& normalizer) {
  const Json json = {{"normalizer", normalizer}};
  return NormalizerOf(JsonSection(json, "file", ""));
}

std::vector<Kind> Kinds(const Json& normalizer) {
  std::vector<Kind> kinds;
  const auto steps = Read(normalizer);
  EXPECT_TRUE(steps.ok()) << steps.status();
  for (const NormalizerStep& step : *steps) kinds.push_back(step.kind);
  return kinds;
}

Json Replace(const std::string& pattern, const std::string& content) {
  return {{"type", "Replace"},
          {"pattern", {{"String", pattern}}},
          {"content", content}};
}

Json Sequence(const Json& steps) {
  return {{"type", "Sequence"}, {"normalizers", steps}};
}

TEST(NormalizerJsonTest, ReadsEachKind) {
  EXPECT_THAT(Kinds(nullptr), IsEmpty());
  EXPECT_THAT(Kinds(Sequence({{{"type", "NFC"}},
                              {{"type", "NFKD"}},
                              {{"type", "StripAccents"}},
                              {{"type", "Lowercase"}},
                              {{"type", "Prepend"}, {"prepend", "_"}},
                              Replace(" ", "_")})),
              ElementsAre(Kind::kNfc, Kind::kNfkd, Kind::kStripMarks,
                          Kind::kLowercase, Kind::kPrepend, Kind::kReplace));
}

TEST(NormalizerJsonTest, BertsIsUpToFiveSteps) {
  EXPECT_THAT(Kinds({{"type", "BertNormalizer"}}),
              ElementsAre(Kind::kBertClean, Kind::kBertChinese, Kind::kNfd,
                          Kind::kBertAccents, Kind::kLowercase));
  EXPECT_THAT(Kinds({{"type", "BertNormalizer"},
                     {"clean_text", false},
                     {"handle_chinese_chars", false},
                     {"lowercase", false}}),
              IsEmpty());
  EXPECT_THAT(Kinds({{"type", "BertNormalizer"},
                     {"clean_text", false},
                     {"handle_chinese_chars", false},
                     {"strip_accents", false},
                     {"lowercase", true}}),
              ElementsAre(Kind::kLowercase));
}

TEST(NormalizerJsonTest, APatternMustNotDependOnWhatATextIsCutAt) {
  EXPECT_TRUE(Read(Replace("``", "\"")).ok());
  EXPECT_TRUE(Read(Replace("\n", " ")).ok());
  for (const Json& wrong :
       {Replace("  ", " "), Replace("a ", "b"), Replace("", "b"),
        Sequence({Replace(" ", "_"), Replace("_x", "y")})}) {
    EXPECT_THAT(Read(wrong).status().message(),
                HasSubstr("supported; tokenize the text yourself"))
        << wrong;
  }
}

}  // namespace
}  // namespace hydra
