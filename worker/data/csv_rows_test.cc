#include "worker/data/csv_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/data/json_rows.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

using Rows = std::vector<std::pair<int64_t, std::vector<std::string>>>;

// Each row's line, and its fields.
absl::StatusOr<Rows> Read(absl::string_view text, size_t piece_bytes = 1000) {
  CsvReader reader;
  Rows rows;
  const auto take = [&](absl::Span<const std::string> fields) {
    rows.push_back({reader.line(), {fields.begin(), fields.end()}});
    return absl::OkStatus();
  };
  for (size_t i = 0; i < text.size(); i += piece_bytes) {
    const absl::Status added = reader.Add(text.substr(i, piece_bytes), take);
    if (!added.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(reader.line(), " ", added.message()));
    }
  }
  const absl::Status finished = reader.Finish(take);
  if (!finished.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(reader.line(), " ", finished.message()));
  }
  return rows;
}

std::string ErrorOf(absl::string_view text) {
  return std::string(Read(text).status().message());
}

TEST(CsvReaderTest, FieldsArePartedByCommas) {
  EXPECT_THAT(*Read("a,b\n1,\n,2"), ElementsAre(Pair(1, ElementsAre("a", "b")),
                                                Pair(2, ElementsAre("1", "")),
                                                Pair(3, ElementsAre("", "2"))));
  EXPECT_THAT(*Read(""), IsEmpty());
}

TEST(CsvReaderTest, LinesMayEndAsOnWindows) {
  EXPECT_THAT(*Read("a,b\r\n\r\n1,2\r\n"),
              ElementsAre(Pair(1, ElementsAre("a", "b")),
                          Pair(3, ElementsAre("1", "2"))));
}

TEST(CsvReaderTest, QuotesHoldCommasLinesAndQuotes) {
  const std::string text =
      "text,label\n\"one, \"\"two\"\"\nthree\r\n\",1\n\"\",2\nx,3\n";
  const auto expected = ElementsAre(
      Pair(1, ElementsAre("text", "label")),
      Pair(2, ElementsAre("one, \"two\"\nthree\r\n", "1")),
      Pair(5, ElementsAre("", "2")), Pair(6, ElementsAre("x", "3")));
  EXPECT_THAT(*Read(text), expected);
  // Wherever pieces are cut.
  for (size_t bytes = 1; bytes < text.size(); ++bytes) {
    EXPECT_THAT(*Read(text, bytes), expected) << bytes;
  }
}

TEST(CsvReaderTest, AByteOrderMarkIsNoText) {
  EXPECT_THAT(
      *Read("\xef\xbb\xbftext\nx\n", 2),
      ElementsAre(Pair(1, ElementsAre("text")), Pair(2, ElementsAre("x"))));
  // Something that begins like one is.
  EXPECT_THAT(*Read("\xef\xbb\xbc\n"),
              ElementsAre(Pair(1, ElementsAre("\xef\xbb\xbc"))));
}

TEST(CsvReaderTest, WhatIsNoCsvIsNamedByItsLine) {
  EXPECT_THAT(ErrorOf("a\nb\"c\n"),
              HasSubstr("2 has a quote inside of a field"));
  EXPECT_THAT(ErrorOf("a\n\"b\"c\n"), HasSubstr("2 has more behind the quote"));
  EXPECT_THAT(ErrorOf("a\nb\n\"c\n\n"),
              HasSubstr("3 has a quote that does not end"));
  EXPECT_THAT(ErrorOf("a\nb\rc"), HasSubstr("2 has a carriage return"));
}

TEST(CsvReaderTest, TheFirstRowsFieldsAreCounted) {
  const std::string most(CsvReader::kMaxFields - 1, ',');
  const auto rows = Read(most + "\n" + most + "\n");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->front().second.size(), CsvReader::kMaxFields);
  EXPECT_EQ(rows->back().second.size(), CsvReader::kMaxFields);
  EXPECT_EQ(ErrorOf(most + ","),
            absl::StrCat("1 has more than ", CsvReader::kMaxFields, " fields"));
}

// Before the row has ended.
TEST(CsvReaderTest, MoreFieldsThanInTheFirstRowAreRefused) {
  EXPECT_EQ(ErrorOf("a,b\n1\n1,2\n1,2,"),
            "4 has more than 2 fields, which the first row has");
  EXPECT_THAT(*Read("a,b\n\"1,2\",3\n"),
              ElementsAre(Pair(1, ElementsAre("a", "b")),
                          Pair(2, ElementsAre("1,2", "3"))));
}

TEST(CsvReaderTest, ARowThatIsTooLongIsRefused) {
  CsvReader reader;
  const std::string piece(1 << 20, 'x');
  const auto take = [](absl::Span<const std::string>) {
    return absl::OkStatus();
  };
  absl::Status status;
  for (int64_t bytes = 0; status.ok() && bytes <= 2 * kMaxRowBytes;
       bytes += static_cast<int64_t>(piece.size())) {
    status = reader.Add(piece, take);
  }
  EXPECT_THAT(status.message(), HasSubstr("has more than"));
}

}  // namespace
}  // namespace hydra
