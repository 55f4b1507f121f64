#include "common/jobfile/yaml_tree.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using Kind = YamlNode::Kind;

std::string Refusal(absl::string_view text) {
  return std::string(ParseYaml(text).status().message());
}

std::string Repeat(absl::string_view part, size_t bytes) {
  std::string text;
  while (text.size() + part.size() <= bytes) absl::StrAppend(&text, part);
  return text;
}

TEST(ParseYamlTest, KeepsTextLinesAndOrder) {
  const absl::StatusOr<YamlNode> root =
      ParseYaml("b: 1e-4\na:\n  - 'x'\n  - ~\nb: ''\n");
  ASSERT_TRUE(root.ok()) << root.status();
  ASSERT_EQ(root->kind, Kind::kMap);
  ASSERT_EQ(root->entries.size(), 3);
  EXPECT_EQ(root->entries[0].key, "b");
  EXPECT_EQ(root->entries[0].value.text, "1e-4");
  EXPECT_EQ(root->entries[1].line, 2);
  const YamlNode& list = root->entries[1].value;
  ASSERT_EQ(list.kind, Kind::kSequence);
  ASSERT_EQ(list.items.size(), 2);
  EXPECT_EQ(list.items[0].text, "x");
  EXPECT_EQ(list.items[1].kind, Kind::kNull);
  EXPECT_EQ(list.items[1].line, 4);
  EXPECT_EQ(root->entries[2].key, "b");
  EXPECT_EQ(root->entries[2].value.kind, Kind::kScalar);
}

TEST(ParseYamlTest, EmptyFilesAreNull) {
  for (absl::string_view text : {"", "\n\n", "# only a comment\n", "---\n"}) {
    const absl::StatusOr<YamlNode> root = ParseYaml(text);
    ASSERT_TRUE(root.ok()) << root.status();
    EXPECT_EQ(root->kind, Kind::kNull);
  }
}

TEST(ParseYamlTest, ReadsNestingUpToTheLimit) {
  EXPECT_TRUE(ParseYaml(Repeat("[", 32) + Repeat("]", 32)).ok());
  EXPECT_EQ(Refusal(Repeat("[", 33) + Repeat("]", 33)),
            "line 1: nested deeper than 32");
}

TEST(ParseYamlTest, RefusesWhatMakesSmallFilesLarge) {
  EXPECT_EQ(Refusal("a: &x 1\n"),
            "line 1: anchors (&) and aliases (*) are not supported; write it "
            "out");
  EXPECT_EQ(Refusal("a: &x [1]\nb: *x\n"),
            "line 1: anchors (&) and aliases (*) are not supported; write it "
            "out");
  EXPECT_EQ(Refusal("a: 1\nb: !!binary aGk=\n"),
            "line 2: tags (!) are not supported");
  EXPECT_EQ(Refusal(Repeat("a", kMaxYamlBytes + 1)),
            "the file has 1048577 bytes; at most 1048576 are allowed");
}

TEST(ParseYamlTest, RefusesWhatIsNotText) {
  EXPECT_EQ(Refusal("a: 1\nb: \xff\n"), "line 2: not UTF-8 text");
  EXPECT_EQ(Refusal(absl::string_view("a: \0\n", 5)),
            "line 1: control character 0x00 in the text");
  EXPECT_EQ(Refusal("\xfe\xff"), "line 1: not UTF-8 text");
}

TEST(ParseYamlTest, RefusesWhatIsNotYaml) {
  EXPECT_EQ(Refusal("a: b: c\n"), "line 1: illegal map value");
  EXPECT_EQ(Refusal("a: 1\nb: [1\n"), "line 3: end of sequence flow not found");
  EXPECT_EQ(Refusal("a:\n\tb: 1\n"), "line 2: illegal map value");
  EXPECT_EQ(Refusal("[a]: 1\n"), "line 1: expected the name of a key");
  EXPECT_EQ(Refusal("a: 1\n---\nb: 2\n"),
            "line 1: more than one document in the file");
}

// Each of these is refused or read in well under a second; the test's time
// limit would notice one that makes the parser slow, deep or endless.
TEST(ParseYamlTest, SurvivesLargeFilesMadeToHurt) {
  for (absl::string_view part :
       {"[",   "{",     "- ",     "? ", ": ",  ",",      "[],", "{a: ",
        "[a,", "a: ",   "a: b\n", "\"", "&a ", "*a ",    "!a ", "%a\n",
        "|\n", "---\n", "\t",     "\\", "a,",  "- - a\n"}) {
    const absl::StatusOr<YamlNode> root =
        ParseYaml(Repeat(part, kMaxYamlBytes));
    if (!root.ok()) {
      EXPECT_EQ(root.status().code(), absl::StatusCode::kInvalidArgument);
    }
  }
}

}  // namespace
}  // namespace hydra
