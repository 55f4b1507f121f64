#include "client/commands/log_text.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(LogTextTest, IsOneHarmlessLine) {
  v1::LogLine line;
  line.mutable_time()->set_seconds(1'700'000'000);
  line.set_step(-1);
  line.set_text("bad\n\x1b[2Jtext");
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
