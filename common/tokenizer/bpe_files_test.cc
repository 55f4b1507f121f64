#include "common/tokenizer/bpe_files.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

const BpeVocabulary kVocabulary = {
    {"a", 0}, {"b", 1}, {"c", 2}, {"ab", 3}, {"abc", 4}};

std::string VocabularyError(absl::string_view json) {
  const auto vocabulary = ParseBpeVocabulary(json, "dir/vocab.json");
  EXPECT_EQ(vocabulary.status().code(), absl::StatusCode::kInvalidArgument);
  const std::string message(vocabulary.status().message());
  EXPECT_THAT(message, StartsWith("dir/vocab.json: "));
  return message;
}

std::string MergesError(absl::string_view text) {
  const auto merges = ParseBpeMerges(text, "dir/merges.txt", kVocabulary);
  EXPECT_EQ(merges.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(merges.status().message());
}

TEST(ParseBpeVocabularyTest, ReadsTokensAndIds) {
  const auto vocabulary =
      ParseBpeVocabulary(R"({"a": 0, "\u0120b": 7, "\"": 2147483647})", "v");
  ASSERT_TRUE(vocabulary.ok()) << vocabulary.status();
  EXPECT_THAT(*vocabulary,
              UnorderedElementsAre(Pair("a", 0), Pair("\u0120b", 7),
                                   Pair("\"", 2147483647)));
}

TEST(ParseBpeVocabularyTest, SaysWhereTheJsonIsBroken) {
  EXPECT_THAT(VocabularyError("{\"a\": 0,\n\"b\" 1}"), HasSubstr("line 2"));
  EXPECT_THAT(VocabularyError("{\"a\": 0"), HasSubstr("line 1"));
  EXPECT_THAT(VocabularyError("no JSON\n"),
              HasSubstr(": line 1, column 1: found 'no', which is no value"));
  EXPECT_THAT(VocabularyError("{\"a\": 0,\n}"),
              HasSubstr(": line 1, column 8: a comma before '}'; remove it"));
}

TEST(ParseBpeVocabularyTest, RefusesWhatIsNotAnObject) {
  EXPECT_THAT(VocabularyError("[1]"), HasSubstr("not an object"));
  EXPECT_THAT(VocabularyError("3"), HasSubstr("not an object"));
  EXPECT_THAT(VocabularyError("{}"), HasSubstr("has no tokens"));
}

TEST(ParseBpeVocabularyTest, RefusesWhatIsNotAnId) {
  EXPECT_THAT(VocabularyError(R"({"a": -1})"),
              AllOf(HasSubstr("'a'"), HasSubstr("-1")));
  EXPECT_THAT(VocabularyError(R"({"a": 2147483648})"),
              AllOf(HasSubstr("2147483648"), HasSubstr("0 to 2147483647")));
  EXPECT_THAT(VocabularyError(R"({"a": 1.5})"), HasSubstr("1.5"));
  EXPECT_THAT(VocabularyError(R"({"a": "1"})"), HasSubstr("a string"));
  EXPECT_THAT(VocabularyError(R"({"a": {"b": 1}})"), HasSubstr("an object"));
  EXPECT_THAT(VocabularyError(R"({"a": [1]})"), HasSubstr("an array"));
  EXPECT_THAT(VocabularyError(R"({"a": null})"), HasSubstr("null"));
}

TEST(ParseBpeVocabularyTest, RefusesAnIdOrATokenGivenTwice) {
  EXPECT_THAT(VocabularyError(R"({"a": 5, "b": 5})"),
              AllOf(HasSubstr("'a' and 'b'"), HasSubstr("id 5")));
  EXPECT_THAT(VocabularyError(R"({"a": 5, "a": 6})"),
              HasSubstr("'a' is given twice"));
}

TEST(ParseBpeMergesTest, RanksMergesByLine) {
  for (const std::string text :
       {"#version: 0.2\na b\nab c\n", "a b\nab c", "a b\r\nab c\r\n"}) {
    const auto merges = ParseBpeMerges(text, "m", kVocabulary);
    ASSERT_TRUE(merges.ok()) << merges.status();
    ASSERT_EQ(merges->size(), 2);
    EXPECT_EQ(merges->at({0, 1}).rank, 0);
    EXPECT_EQ(merges->at({0, 1}).result, 3);
    EXPECT_EQ(merges->at({3, 2}).rank, 1);
    EXPECT_EQ(merges->at({3, 2}).result, 4);
  }
}

TEST(ParseBpeMergesTest, NamesTheLineWithoutTwoParts) {
  EXPECT_THAT(MergesError("#version: 0.2\na b\nabc\n"),
              AllOf(StartsWith("dir/merges.txt: line 3: "),
                    HasSubstr("'abc' is not two tokens")));
  EXPECT_THAT(MergesError("a b\n\nab c\n"), HasSubstr("line 2"));
  EXPECT_THAT(MergesError("a b c\n"), HasSubstr("line 1"));
  EXPECT_THAT(MergesError(""), HasSubstr("line 1"));
}

TEST(ParseBpeMergesTest, RefusesTokensThatTheVocabularyLacks) {
  EXPECT_THAT(MergesError("a b\na x\n"), HasSubstr("line 2: 'x' is not in"));
  EXPECT_THAT(MergesError("b c\n"), HasSubstr("line 1: 'bc' is not in"));
  EXPECT_THAT(MergesError("a \n"), HasSubstr("line 1: '' is not in"));
}

TEST(ParseBpeMergesTest, RefusesAPairGivenTwice) {
  EXPECT_THAT(MergesError("a b\nab c\na b\n"),
              HasSubstr("line 3: 'a b' is given twice"));
}

}  // namespace
}  // namespace hydra
