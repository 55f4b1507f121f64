#include "worker/data/json_rows.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(TextOfRowTest, IsThatOfTheField) {
  EXPECT_EQ(*TextOfRow(R"({"id": 3, "text": "a\nb \u00e9"})", "text"),
            "a\nb é");
  EXPECT_EQ(*TextOfRow(R"({"text": "a", "content": "b"})", "content"), "b");
  EXPECT_EQ(*TextOfRow(R"({"text": ""})", "text"), "");
}

TEST(TextOfRowTest, ARowThatIsWrongIsDescribed) {
  const std::pair<std::string, std::string> kCases[] = {
      {"{\"text\": \"a\"", "is no JSON at its byte 13"},
      {"text", "is no JSON at its byte 2"},
      {"[", "is no object, but an array"},
      {"{\"text\": \"\xff\"}", "is no JSON at its byte 11"},
      {R"({"text": "a", "score": NaN})", "is no JSON at its byte 24"},
      {R"({"text": "a"} {})", "is no JSON at its byte 15"},
      {"\"a\"", "is no object, but a text"},
      {R"({"text": 3})", "'text': expected a text, found a number"},
      {R"({"text": null})", "'text': expected a text, found null"},
      {R"({"text": ["a"]})", "'text': expected a text, found an array"},
      {R"({"text": {"text": "a"}})",
       "'text': expected a text, found an object"},
      {R"({"text": "a", "text": 1})",
       "'text': expected a text, found a number"},
      {R"({"a": {"text": "a"}})", "has no 'text'"},
      {R"({"messages": [{"text": "a"}], "id": 3})",
       "has no 'text', which data.text_field names; it has 'messages', 'id'"},
      {"{}", "has no 'text', which data.text_field names; it has no fields"},
      {R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1})", "'e', ..."},
  };
  for (const auto& [row, message] : kCases) {
    const auto text = TextOfRow(row, "text");
    ASSERT_FALSE(text.ok()) << row;
    EXPECT_THAT(std::string(text.status().message()), HasSubstr(message));
  }
}

TEST(TextOfRowTest, OfFieldsThatStandTwiceTheLastCounts) {
  EXPECT_EQ(*TextOfRow(R"({"text": 1, "text": "a"})", "text"), "a");
  EXPECT_EQ(*TextOfRow(R"({"text": "a", "b": {"text": 1}})", "text"), "a");
}

TEST(TextOfRowTest, ValuesDeepInEachOtherAreRefused) {
  const std::string open(100'000, '[');
  const std::string close(100'000, ']');
  const auto text =
      TextOfRow(absl::StrCat("{\"a\": ", open, close, "}"), "text");
  EXPECT_THAT(std::string(text.status().message()),
              HasSubstr("has values inside of each other, more than 100 deep"));
}

// Rows and their lines, of `content` in pieces of so many bytes.
std::vector<std::pair<int64_t, std::string>> RowsOf(absl::string_view content,
                                                    size_t piece_bytes) {
  RowReader reader;
  std::vector<std::pair<int64_t, std::string>> rows;
  const auto take = [&](absl::string_view row) {
    rows.emplace_back(reader.line(), row);
    return absl::OkStatus();
  };
  for (size_t i = 0; i < content.size(); i += piece_bytes) {
    EXPECT_TRUE(reader.Add(content.substr(i, piece_bytes), take).ok());
  }
  EXPECT_TRUE(reader.Finish(take).ok());
  EXPECT_EQ(reader.kept_bytes(), 0);
  return rows;
}

TEST(RowReaderTest, PiecesMakeNoDifference) {
  const std::string content = "{\"a\"}\r\n\n  \n{\"b\"}\n{\"c\"}";
  for (size_t piece_bytes = 1; piece_bytes <= content.size(); ++piece_bytes) {
    EXPECT_THAT(
        RowsOf(content, piece_bytes),
        ElementsAre(Pair(1, "{\"a\"}"), Pair(4, "{\"b\"}"), Pair(5, "{\"c\"}")))
        << piece_bytes;
  }
}

TEST(RowReaderTest, WhatIsKeptComesWithTheNextPiece) {
  RowReader reader;
  reader.Keep("a\nb");
  EXPECT_EQ(reader.kept_bytes(), 3);
  std::vector<std::string> rows;
  const auto take = [&](absl::string_view row) {
    rows.emplace_back(row);
    return absl::OkStatus();
  };
  ASSERT_TRUE(reader.Add("c\nd", take).ok());
  EXPECT_THAT(rows, ElementsAre("a", "bc"));
  EXPECT_EQ(reader.kept_bytes(), 1);
}

TEST(RowReaderTest, AnErrorEndsTheReadingAtItsLine) {
  RowReader reader;
  const auto refuse = [](absl::string_view row) {
    return row == "b" ? absl::InvalidArgumentError("bad") : absl::OkStatus();
  };
  EXPECT_FALSE(reader.Add("a\n\nb\nc\n", refuse).ok());
  EXPECT_EQ(reader.line(), 3);
}

TEST(RowReaderTest, ARowThatIsFarTooLongIsRefused) {
  RowReader reader;
  const auto take = [](absl::string_view) { return absl::OkStatus(); };
  ASSERT_TRUE(reader.Add("a\n", take).ok());
  const std::string piece(kMaxRowBytes / 2, 'x');
  ASSERT_TRUE(reader.Add(piece, take).ok());
  ASSERT_TRUE(reader.Add(piece, take).ok());
  EXPECT_FALSE(reader.Add(piece, take).ok());
  EXPECT_EQ(reader.line(), 2);
}

}  // namespace
}  // namespace hydra
