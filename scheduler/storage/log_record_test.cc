#include "scheduler/storage/log_record.h"

#include <algorithm>
#include <string>

#include "absl/strings/strip.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

v1::LogLine Line(const std::string& text) {
  v1::LogLine line;
  line.mutable_time()->set_seconds(1'700'000'000);
  line.mutable_time()->set_nanos(12'000);
  line.set_severity("W");
  line.set_source("cpu:0");
  line.set_step(-1);
  line.set_task_id(18'446'744'073'709'551'615u);
  line.set_text(text);
  return line;
}

TEST(LogRecordTest, IsOneLineThatPeopleCanRead) {
  EXPECT_EQ(LogRecord(7, Line("a text")),
            "7\t1700000000.000012000\tW\tcpu:0\t-1\t18446744073709551615\t"
            "a text\n");
}

TEST(LogRecordTest, EveryTextComesBack) {
  for (const char* text :
       {"", "plain", "two\nlines", "a\ttab", "back\\slash", "\\n is no newline",
        "\\\\", "\r\n\t\\", "caf\xc3\xa9"}) {
    v1::LogLine line = Line(text);
    const std::string record = LogRecord(3, line);
    EXPECT_EQ(std::count(record.begin(), record.end(), '\n'), 1);
    const auto read = ParseLogRecord(absl::StripSuffix(record, "\n"));
    ASSERT_TRUE(read.has_value()) << record;
    line.set_sequence(3);
    EXPECT_EQ(read->SerializeAsString(), line.SerializeAsString()) << record;
  }
}

TEST(LogRecordTest, APartOfARecordIsNone) {
  const std::string record = LogRecord(3, Line("x"));
  const size_t text = record.rfind('\t');
  for (size_t bytes = 0; bytes < text; ++bytes) {
    EXPECT_FALSE(ParseLogRecord(record.substr(0, bytes)).has_value()) << bytes;
  }
  EXPECT_FALSE(ParseLogRecord("a\t1.0\tI\tx\t0\t0\ttext").has_value());
  EXPECT_FALSE(ParseLogRecord("1\t1\tI\tx\t0\t0\ttext").has_value());
  EXPECT_FALSE(ParseLogRecord("1\t1.0\tI\tx\t0\t-1\ttext").has_value());
  EXPECT_FALSE(ParseLogRecord(std::string(100, '\0')).has_value());
}

}  // namespace
}  // namespace hydra
