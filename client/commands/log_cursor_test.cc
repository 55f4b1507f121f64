#include "client/commands/log_cursor.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

v1::LogLine Line(int seconds, const std::string& text) {
  v1::LogLine line;
  line.mutable_time()->set_seconds(seconds);
  line.set_step(-1);
  line.set_text(text);
  return line;
}

TEST(LogCursorTest, AStreamShowsEveryLineOnce) {
  LogCursor cursor;
  EXPECT_FALSE(cursor.started());
  EXPECT_TRUE(cursor.Advance(Line(1, "a")));
  EXPECT_TRUE(cursor.Advance(Line(2, "b")));
  EXPECT_TRUE(cursor.Advance(Line(2, "b")));
  EXPECT_TRUE(cursor.started());
}

TEST(LogCursorTest, ASecondStreamShowsOnlyWhatIsNew) {
  LogCursor cursor;
  cursor.Advance(Line(1, "a"));
  cursor.Advance(Line(2, "b"));
  cursor.Advance(Line(2, "c"));
  cursor.Restart();
  EXPECT_FALSE(cursor.Advance(Line(1, "a")));
  EXPECT_FALSE(cursor.Advance(Line(2, "b")));
  EXPECT_FALSE(cursor.Advance(Line(2, "c")));
  EXPECT_TRUE(cursor.Advance(Line(2, "d")));
  EXPECT_TRUE(cursor.Advance(Line(3, "e")));
}

TEST(LogCursorTest, ALateLineOfAnotherDeviceIsShown) {
  LogCursor cursor;
  EXPECT_TRUE(cursor.Advance(Line(1, "a")));
  EXPECT_TRUE(cursor.Advance(Line(5, "b")));
  EXPECT_TRUE(cursor.Advance(Line(3, "late")));
  cursor.Restart();
  EXPECT_FALSE(cursor.Advance(Line(5, "b")));
  EXPECT_FALSE(cursor.Advance(Line(3, "late")));
  EXPECT_TRUE(cursor.Advance(Line(4, "later still")));
}

TEST(LogCursorTest, WhatStandsBeforeATailStaysHidden) {
  LogCursor cursor;
  cursor.Advance(Line(7, "tail"));
  cursor.Restart();
  EXPECT_FALSE(cursor.Advance(Line(2, "before")));
  EXPECT_FALSE(cursor.Advance(Line(7, "tail")));
  EXPECT_TRUE(cursor.overlaps());
}

TEST(LogCursorTest, TellsWhetherLinesMayBeMissing) {
  LogCursor cursor;
  cursor.Advance(Line(1, "a"));
  cursor.Restart();
  EXPECT_TRUE(cursor.Advance(Line(9, "b")));
  EXPECT_FALSE(cursor.overlaps());
}

TEST(LogCursorTest, ForgetsTheOldestLines) {
  LogCursor cursor;
  for (size_t i = 0; i < LogCursor::kMostRemembered + 2; ++i) {
    cursor.Advance(Line(static_cast<int>(i), "x"));
  }
  cursor.Restart();
  EXPECT_FALSE(cursor.Advance(Line(0, "x")));
  EXPECT_FALSE(cursor.Advance(Line(50'000, "x")));
  EXPECT_TRUE(cursor.Advance(Line(200'000, "x")));
}

TEST(LogTextTest, IsOneHarmlessLine) {
  v1::LogLine line = Line(1'700'000'000, "bad\n\x1b[2Jtext");
  line.set_severity("W");
  line.set_source("cpu:0");
  EXPECT_EQ(LogText(line, absl::UTCTimeZone()),
            "2023-11-14 22:13:20.000 W cpu:0: bad\\n\\x1b[2Jtext");
  line.set_step(17);
  line.set_text("ok");
  EXPECT_EQ(LogText(line, absl::UTCTimeZone()),
            "2023-11-14 22:13:20.000 W cpu:0 step 17: ok");
}

}  // namespace
}  // namespace hydra
