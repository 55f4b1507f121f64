#include "common/tokenizer/pre_tokenizer_json.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = PreTokenizerKind;

absl::StatusOr<PreTokenizer> Read(const Json& pre_tokenizer) {
  const Json json = {{"pre_tokenizer", pre_tokenizer}};
  return PreTokenizerOf(JsonSection(json, "file", ""));
}

std::vector<Kind> Kinds(const Json& pre_tokenizer) {
  std::vector<Kind> kinds;
  const auto read = Read(pre_tokenizer);
  EXPECT_TRUE(read.ok()) << read.status();
  for (const PreTokenizerStep& step : read->steps) kinds.push_back(step.kind);
  return kinds;
}

Json Sequence(const Json& steps) {
  return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

const Json& ByteLevel() {
  static const Json& json = *new Json(
      {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"use_regex", true}});
  return json;
}

TEST(PreTokenizerJsonTest, ByteLevelIsSeveralStepsAtTheEnd) {
  EXPECT_THAT(Kinds(ByteLevel()),
              ElementsAre(Kind::kPrefixSpace, Kind::kPattern));
  EXPECT_TRUE(Read(ByteLevel())->is_byte_level);
  EXPECT_FALSE(Read(nullptr)->is_byte_level);
  const Json digits = {{"type", "Digits"}, {"individual_digits", true}};
  EXPECT_THAT(Kinds(Sequence({digits, ByteLevel()})),
              ElementsAre(Kind::kDigits, Kind::kPrefixSpace, Kind::kPattern));
  EXPECT_THAT(Read(Sequence({ByteLevel(), digits})).status().message(),
              HasSubstr("file: pre_tokenizer.pretokenizers[1]: found "
                        "\"Digits\"; nothing behind ByteLevel"));
  EXPECT_THAT(
      Read(Sequence({{{"type", "Metaspace"}}, ByteLevel()})).status().message(),
      HasSubstr("not supported behind Metaspace"));
}

TEST(PreTokenizerJsonTest, MetaspacesOlderFormIsKnown) {
  EXPECT_THAT(Kinds({{"type", "Metaspace"}, {"add_prefix_space", true}}),
              ElementsAre(Kind::kMarkSpaces, Kind::kPrefixMarker,
                          Kind::kSplitAtMarkers));
  EXPECT_THAT(Kinds({{"type", "Metaspace"}, {"add_prefix_space", false}}),
              ElementsAre(Kind::kMarkSpaces, Kind::kSplitAtMarkers));
}

TEST(PreTokenizerJsonTest, ASplitIsIsolatedByAKnownPattern) {
  const std::string gpt2 =
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
  Json split = {{"type", "Split"},
                {"pattern", {{"Regex", gpt2}}},
                {"behavior", "Isolated"}};
  EXPECT_THAT(Kinds(split), ElementsAre(Kind::kPattern));
  split["invert"] = true;
  EXPECT_THAT(Read(split).status().message(), HasSubstr("invert: found true"));
  split.erase("invert");
  split["behavior"] = "Removed";
  EXPECT_THAT(Read(split).status().message(), HasSubstr("behavior: found"));
  split["behavior"] = "Isolated";
  split["pattern"] = {{"String", " "}};
  EXPECT_THAT(Read(split).status().message(),
              HasSubstr("pattern.Regex: found null; the patterns of"));
}

}  // namespace
}  // namespace hydra
