#include "common/jobfile/yaml_tree.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

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
            "line 1, column 33: nested deeper than 32");
}

TEST(ParseYamlTest, RefusesWhatMakesSmallFilesLarge) {
  EXPECT_EQ(Refusal("a: &x 1\n"),
            "line 1, column 4: anchors (&) and aliases (*) are not supported; "
            "write it out, or put a value that begins so in quotes");
  EXPECT_EQ(Refusal("a: &x [1]\nb: *x\n"),
            "line 1, column 4: anchors (&) and aliases (*) are not supported; "
            "write it out, or put a value that begins so in quotes");
  EXPECT_EQ(Refusal("a: 1\nb: !!binary aGk=\n"),
            "line 2, column 4: tags (!) are not supported");
  EXPECT_EQ(Refusal(Repeat("a", kMaxYamlBytes + 1)),
            "the file has 1048577 bytes; at most 1048576 are allowed");
}

TEST(ParseYamlTest, RefusesWhatIsNotText) {
  EXPECT_EQ(Refusal("a: 1\nb: \xff\n"),
            "line 2, column 4: the byte 0xff is not UTF-8; save the file as "
            "UTF-8 (is it Latin-1 or Windows-1252?)");
  EXPECT_EQ(Refusal(absl::string_view("a: \0\n", 5)),
            "line 1, column 4: control character 0x00 in the text");
}

TEST(ParseYamlTest, NamesTheKindOfAFileThatIsNoUtf8) {
  for (absl::string_view text :
       {absl::string_view("\xff\xfe"
                          "a\0:\0",
                          6),
        absl::string_view("\xfe\xff\0a\0:", 6), absl::string_view("a\0:\0", 4),
        absl::string_view("\xff\xfe\0\0a\0\0\0", 8)}) {
    EXPECT_THAT(Refusal(text), HasSubstr("UTF-16")) << text;
  }
  EXPECT_THAT(Refusal("\x1f\x8b\x08"), HasSubstr("gzip"));
}

TEST(ParseYamlTest, TakesWhatEditorsWrite) {
  for (absl::string_view text :
       {"\xef\xbb\xbf"
        "a: 1\n",
        "a: 1\r\n", "a: 1\r", "a: 1\n---\n", "---\na: 1\n...\n",
        "a: 1\n...\n# the end\n", "a: 1  \n", "{\n\t\"a\": 1\n}\n",
        "# \xc2\xa0 note\na: 1\n"}) {
    const absl::StatusOr<YamlNode> root = ParseYaml(text);
    ASSERT_TRUE(root.ok()) << text << root.status();
    ASSERT_EQ(root->entries.size(), 1) << text;
    EXPECT_EQ(root->entries[0].key, "a");
    EXPECT_EQ(root->entries[0].value.text, "1");
  }
}

TEST(ParseYamlTest, RefusesWhatIsNotYaml) {
  EXPECT_EQ(Refusal("a: 1\nb: [1\n"),
            "line 2, column 4: this '[' is never closed");
  EXPECT_EQ(Refusal("[a]: 1\n"),
            "line 1, column 1: expected the name of a key");
  EXPECT_EQ(Refusal("a: 1\n---\nb: 2\n"),
            "line 3, column 1: a second document begins here; a file has one, "
            "so remove the '---' above or what stands before it");
}

TEST(ParseYamlTest, RefusesBlanksAndQuotesThatOnlyLookRight) {
  EXPECT_EQ(Refusal("a: 1\nmax_\u200bsteps: 4\n"),
            "line 2, column 5: a zero-width space (U+200B) in a key; remove it "
            "or write a space");
  EXPECT_EQ(Refusal("a: \u201cx\u201d\n"),
            "line 1, column 4: the quote U+201C before a value; write \" or '");
  EXPECT_EQ(Refusal("a: x\u00a0\n"),
            "line 1, column 5: a no-break space (U+00A0) after a value; remove "
            "it, or put the value in quotes");
  EXPECT_EQ(ParseYaml("a: '\u201cx\u201d'\n")->entries[0].value.text,
            "\u201cx\u201d");
}

// The place and the beginning of the description.
TEST(ParseYamlTest, SaysWhereAndWhatTheMistakeIs) {
  const std::vector<std::pair<absl::string_view, absl::string_view>> kCases = {
      {"a:\n\tb: 1\n", "line 2, column 1: a tab in the indentation"},
      {"t:\n\u00a0 b: 4\n", "line 2, column 1: a no-break space (U+00A0)"},
      {"t:\n  b:\u00a0 4\n  c: 1\n", "line 2, column 5: a no-break space"},
      {"t:\n  a: 1\n  b:4\n  c: 1\n",
       "line 3, column 5: a blank is missing after ':'; write 'b: 4'"},
      {"t:\n  a: 1\n b: 2\n",
       "line 3, column 2: indented by 1, which fits no line above; write 0 or "
       "2 spaces"},
      {"  a: 1\nb: 2\n", "line 2, column 1: indented by 0, less than"},
      {"a: x\n  b: 2\n", "line 2, column 3: indented deeper than the line"},
      {"train\n  b: 2\n", "line 1, column 6: a ':' is missing after 'train'"},
      {"t:\n  b = 2\n  c: 1\n", "line 2, column 5: '=' in place of ':'"},
      {"t:\n  b\uff1a2\n  c: 1\n", "line 2, column 4: a full-width colon"},
      {"a: b: c\n", "line 1, column 5: a second ': ' in one line"},
      {"a: @x\n", "line 1, column 4: a value cannot begin with '@'"},
      {"a: 'x\nb: 1\n", "line 1, column 4: this quote is never closed"},
      {"a: [1, {b: 2]\n", "line 1, column 13: ']' closes '{' of line 1"},
      {"{\"a\": 1\n \"b\": 2}\n",
       "line 2, column 4: found a string, expected '}'"},
      {"a: *.txt\n", "line 1, column 4: a value cannot begin with '*'"},
      {"a: [*.txt]\n", "line 1, column 5: a value cannot begin with '*'"},
  };
  for (const auto& [text, begins] : kCases) {
    EXPECT_THAT(Refusal(text), StartsWith(std::string(begins))) << text;
  }
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
