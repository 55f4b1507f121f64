#include "client/watch/watch_sink.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class WatchSinkTest : public ::testing::Test {
 protected:
  WatchSinkTest() {
    context_.out = &out_;
    context_.err = &err_;
    response_.add_jobs()->set_job_id("j1");
    model_.Apply(response_, /*first=*/true);
  }

  void Update(WatchSink* sink) {
    sink->Update(response_, model_, absl::FromUnixSeconds(1000));
  }

  std::string TakeErr() {
    std::string text = err_.str();
    err_.str("");
    return text;
  }

  std::ostringstream out_;
  std::ostringstream err_;
  CliContext context_;
  v1::WatchResponse response_;
  WatchModel model_;
};

TEST_F(WatchSinkTest, ATerminalIsDrawnInPlace) {
  context_.err_terminal.present = true;
  context_.err_terminal.in_place = true;
  const auto sink = MakeProgressSink(context_);
  Update(sink.get());
  EXPECT_THAT(TakeErr(), Not(HasSubstr("\033[")));
  Update(sink.get());
  // The counts, a title and a row of jobs, the title of devices.
  EXPECT_THAT(TakeErr(), StartsWith("\r\033[4A\033[J"));
}

TEST_F(WatchSinkTest, ANoticeStaysAboveTheNextFrame) {
  context_.err_terminal.present = true;
  context_.err_terminal.in_place = true;
  const auto sink = MakeProgressSink(context_);
  Update(sink.get());
  TakeErr();
  sink->Notice("lost");
  EXPECT_EQ(TakeErr(), "\r\033[4A\033[Jhydra: lost\n");
  Update(sink.get());
  EXPECT_THAT(TakeErr(), Not(HasSubstr("\033[")));
}

TEST_F(WatchSinkTest, APipeGetsLinesWithoutEscapes) {
  const auto sink = MakeProgressSink(context_);
  Update(sink.get());
  Update(sink.get());
  const std::string text = TakeErr();
  EXPECT_THAT(text, HasSubstr("no jobs"));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
}

TEST_F(WatchSinkTest, ADumbTerminalGetsLinesToo) {
  context_.err_terminal.present = true;
  const auto sink = MakeProgressSink(context_);
  Update(sink.get());
  Update(sink.get());
  EXPECT_THAT(TakeErr(), Not(HasSubstr("\033")));
}

TEST_F(WatchSinkTest, JsonGoesToTheOutputAndNoticesDoNot) {
  const auto sink = MakeJsonSink(context_);
  Update(sink.get());
  sink->Notice("lost");
  EXPECT_THAT(out_.str(), StartsWith("{\"jobs\":[{\"job_id\":\"j1\""));
  EXPECT_THAT(out_.str(), Not(HasSubstr("lost")));
}

}  // namespace
}  // namespace hydra
