#include "scheduler/storage/log_segment.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/storage/log_record.h"

namespace hydra {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::string Records(int64_t from, int64_t to) {
  std::string text;
  for (int64_t number = from; number < to; ++number) {
    v1::LogLine line;
    line.set_text(absl::StrCat("line ", number));
    text += LogRecord(number, line);
  }
  return text;
}

class LogSegmentTest : public testing::Test {
 protected:
  std::string path() const { return scratch_.PathOf("segment"); }

  LogPiece Read(LogPlace place, int64_t most_bytes = 1 << 20) {
    const auto bytes = static_cast<int64_t>(scratch_.Read("segment").size());
    const auto piece = ReadLogPiece(path(), place, bytes, most_bytes);
    EXPECT_TRUE(piece.ok()) << piece.status();
    return piece.value_or(LogPiece());
  }
  static std::vector<int64_t> Numbers(const LogPiece& piece) {
    std::vector<int64_t> numbers;
    for (const auto& line : piece.lines) numbers.push_back(line->sequence());
    return numbers;
  }

  ScratchDirectory scratch_;
};

TEST_F(LogSegmentTest, ItsNameSaysTheJobAndTheFirstLine) {
  EXPECT_EQ(ToString({JobId(12), 345}), "j12.00000000000000000345.log");
  const auto parsed = ParseLogSegmentName("j12.00000000000000000345.log");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->job, JobId(12));
  EXPECT_EQ(parsed->first, 345);
  for (const char* name :
       {"", "j12", "j12.345.log", "12.00000000000000000345.log",
        "j012.00000000000000000345.log", "j12.00000000000000000345.log.1",
        "cpu_0.log"}) {
    EXPECT_FALSE(ParseLogSegmentName(name).has_value()) << name;
  }
}

TEST_F(LogSegmentTest, WhatIsAppendedIsRead) {
  const std::string first = Records(5, 8);
  ASSERT_TRUE(AppendToLogSegment(path(), 0, first).ok());
  ASSERT_TRUE(AppendToLogSegment(path(), first.size(), Records(8, 10)).ok());
  const LogPiece piece = Read({5, 0});
  EXPECT_THAT(Numbers(piece), ElementsAre(5, 6, 7, 8, 9));
  EXPECT_EQ(piece.lines[4]->text(), "line 9");
  EXPECT_FALSE(piece.is_broken);
  EXPECT_THAT(Read(piece.end).lines, IsEmpty());
}

TEST_F(LogSegmentTest, PiecesOfAnySizeMakeTheWhole) {
  scratch_.Write("segment", Records(0, 50));
  for (int64_t most_bytes = 1; most_bytes < 200; most_bytes += 3) {
    LogPlace place;
    int64_t lines = 0;
    for (LogPiece piece = Read(place, most_bytes); !piece.lines.empty();
         piece = Read(place, most_bytes)) {
      EXPECT_FALSE(piece.is_broken);
      EXPECT_EQ(piece.lines[0]->sequence(), lines);
      lines += static_cast<int64_t>(piece.lines.size());
      place = piece.end;
    }
    EXPECT_EQ(lines, 50) << most_bytes;
  }
}

TEST_F(LogSegmentTest, WhatWasBrokenOffIsNoLine) {
  const std::string good = Records(0, 2);
  const std::string all = Records(0, 3);
  for (size_t bytes = good.size() + 1; bytes < all.size(); ++bytes) {
    scratch_.Write("segment", all.substr(0, bytes));
    const LogPiece piece = Read({0, 0});
    EXPECT_THAT(piece.lines, SizeIs(2)) << bytes;
    EXPECT_TRUE(piece.is_broken) << bytes;
    EXPECT_EQ(piece.end.offset_bytes, good.size());
  }
  // A line of another number, such as of a write that failed before.
  scratch_.Write("segment", good + Records(1, 2));
  EXPECT_THAT(Read({0, 0}).lines, SizeIs(2));
  EXPECT_TRUE(Read({0, 0}).is_broken);
}

TEST_F(LogSegmentTest, AWriteReplacesWhatIsBehindItsPlace) {
  const std::string good = Records(0, 2);
  scratch_.Write("segment", good + "rest");
  ASSERT_TRUE(AppendToLogSegment(path(), good.size(), Records(2, 3)).ok());
  EXPECT_THAT(Numbers(Read({0, 0})), ElementsAre(0, 1, 2));
}

TEST_F(LogSegmentTest, AFileThatIsGoneIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(ReadLogPiece(path(), {0, 0}, 10, 10).status()));
  EXPECT_TRUE(absl::IsNotFound(AppendToLogSegment(path(), 10, "x")));
  scratch_.Write("segment", "short");
  EXPECT_TRUE(absl::IsAborted(AppendToLogSegment(path(), 10, "x")));
  EXPECT_EQ(scratch_.Read("segment"), "short");
}

}  // namespace
}  // namespace hydra
