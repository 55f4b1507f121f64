#include "worker/data/labeled_rows.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "worker/data/posix_file.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

LabeledReading Reading() {
  LabeledReading reading;
  reading.class_count = 3;
  reading.class_numbers = {{"bad", 0}, {"good", 1}};
  return reading;
}

// "text|pair|class" of each row.
absl::StatusOr<std::vector<std::string>> Read(const LabeledReading& reading,
                                              const std::string& content,
                                              RowCounts* counts = nullptr) {
  const ScratchDirectory folder;
  PosixFile file = *PosixFile::Open(folder.Write("rows", content), O_RDONLY);
  TaskControl control;
  std::vector<std::string> rows;
  const auto digest =
      ReadLabeledRows(&file, reading, control, [&](const LabeledText& row) {
        rows.push_back(
            absl::StrCat(row.text, "|", row.text_pair, "|", row.row_class));
        return absl::OkStatus();
      });
  if (!digest.ok()) return digest.status();
  if (counts != nullptr) *counts = digest->rows;
  return rows;
}

std::string ErrorOf(const LabeledReading& reading, const std::string& content) {
  const absl::Status status = Read(reading, content).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(LabeledRowsTest, LabelsAreNumbersOrNames) {
  RowCounts counts;
  const auto rows = Read(Reading(), R"({"text": "a", "label": 2}
{"label": "good", "text": "b", "more": [1, {"text": "no"}]}

{"text": "", "label": "0"}
{"text": "c", "label": 1, "label": "bad"})",
                         &counts);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(*rows, ElementsAre("a||2", "b||1", "||0", "c||0"));
  EXPECT_EQ(counts.rows, 4);
  EXPECT_EQ(counts.empty, 1);
}

TEST(LabeledRowsTest, RowsMayHaveTwoTexts) {
  LabeledReading reading = Reading();
  reading.text_field = "premise";
  reading.text_pair_field = "hypothesis";
  reading.label_field = "gold";
  const auto rows =
      Read(reading, R"({"premise": "a", "hypothesis": "b", "gold": 1})");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(*rows, ElementsAre("a|b|1"));
  EXPECT_THAT(ErrorOf(reading, R"({"premise": "a", "gold": 1})"),
              HasSubstr("line 1 has no 'hypothesis', which "
                        "data.text_pair_field names; it has 'premise'"));
}

TEST(LabeledRowsTest, AWrongRowIsNamedByItsLine) {
  const std::string good = "{\"text\": \"a\", \"label\": 1}\n";
  const auto error = [&](const std::string& row) {
    return ErrorOf(Reading(), absl::StrCat(good, row));
  };
  EXPECT_THAT(error(R"({"text": "a", "label": 3})"),
              AllOf(HasSubstr("rows: line 2 'label': found '3'; the model's "
                              "classes are 0 to 2"),
                    HasSubstr("'bad', 'good'")));
  EXPECT_THAT(error(R"({"text": "a", "label": "ugly"})"),
              HasSubstr("line 2 'label': found 'ugly'"));
  EXPECT_THAT(error(R"({"text": "a", "label": -1})"), HasSubstr("found '-1'"));
  EXPECT_THAT(error(R"({"text": "a", "label": 1.0})"),
              HasSubstr("'label': expected a class's whole number or name, "
                        "found a number"));
  EXPECT_THAT(error(R"({"text": "a"})"),
              HasSubstr("has no 'label', which data.label_field names"));
  EXPECT_THAT(error(R"({"text": 5, "label": 1})"),
              HasSubstr("'text': expected a text, found a number"));
  EXPECT_THAT(error("[1]"), HasSubstr("line 2 is no object"));
}

TEST(LabeledRowsTest, TheFirstRowOfCsvNamesTheColumns) {
  LabeledReading reading = Reading();
  reading.format = hydra::v1::DATA_FORMAT_CSV;
  RowCounts counts;
  const auto rows = Read(reading,
                         "id,label,text\n"
                         "7, good ,\"one, two\"\n"
                         "8,2,\n",
                         &counts);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(*rows, ElementsAre("one, two||1", "||2"));
  EXPECT_EQ(counts.rows, 2);
  EXPECT_EQ(counts.empty, 1);
  reading.text_pair_field = "id";
  EXPECT_THAT(*Read(reading, "id,label,text\n7,1,a\n"), ElementsAre("a|7|1"));
}

TEST(LabeledRowsTest, WrongCsvIsNamedByItsLine) {
  LabeledReading reading = Reading();
  reading.format = hydra::v1::DATA_FORMAT_CSV;
  EXPECT_THAT(ErrorOf(reading, "sentence,label\na,1\n"),
              HasSubstr("rows: line 1 names no column 'text', which "
                        "data.text_field names; it names 'sentence', 'label'"));
  EXPECT_THAT(ErrorOf(reading, "text,label\na,1\nb\n"),
              HasSubstr("line 3 has 1 fields, the first line names 2 columns"));
  EXPECT_THAT(ErrorOf(reading, "text,label\na,1\nb,1,2\n"),
              HasSubstr("line 3 has more than 2 fields, which the first row "
                        "has"));
  EXPECT_THAT(ErrorOf(reading, "text,label\n\"a\n\n\",1\nb,x\n"),
              HasSubstr("line 5 'label': found 'x'"));
}

}  // namespace
}  // namespace hydra
