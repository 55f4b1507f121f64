#include "scheduler/notify/notice_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class NoticeProgramTest : public ::testing::Test {
 protected:
  // A shell script that does this in the scratch directory.
  NoticeProgram::Options Script(const std::string& body) {
    const std::string path = folder_.PathOf("program");
    std::ofstream(path) << "#!/bin/sh\ncd " << folder_.path() << "\n"
                        << body << "\n";
    EXPECT_EQ(chmod(path.c_str(), 0755), 0);
    NoticeProgram::Options options;
    options.path = path;
    return options;
  }
  std::string Text(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(folder_.PathOf(name)).rdbuf();
    return text.str();
  }
  void AwaitText(const std::string& name, const std::string& wanted) const {
    while (Text(name) != wanted) absl::SleepFor(absl::Milliseconds(5));
  }

  const ScratchDirectory folder_;
};

TEST_F(NoticeProgramTest, FindsTheFactsAndNothingOfHydrads) {
  setenv("HYDRAD_SECRET", "1", 1);
  NoticeProgram program(Script("env > facts.part; mv facts.part facts"));
  program.Tell({"HYDRA_EVENT=failed", "HYDRA_REASON=a 'b' $(c) `d`"});
  while (Text("facts").empty()) absl::SleepFor(absl::Milliseconds(5));
  const std::string facts = Text("facts");
  EXPECT_THAT(facts, HasSubstr("HYDRA_EVENT=failed\n"));
  EXPECT_THAT(facts, HasSubstr("HYDRA_REASON=a 'b' $(c) `d`\n"));
  EXPECT_THAT(facts, HasSubstr("PATH=/usr/local/bin:/usr/bin:/bin\n"));
  EXPECT_THAT(facts, Not(HasSubstr("HYDRAD_SECRET")));
}

TEST_F(NoticeProgramTest, TellsInOrderWhereOneRunsAtATime) {
  NoticeProgram::Options options = Script("printf %s \"$N\" >> order");
  options.at_once = 1;
  NoticeProgram program(options);
  std::string wanted;
  for (int i = 0; i < 10; ++i) {
    program.Tell({absl::StrCat("N=", i)});
    absl::StrAppend(&wanted, i);
  }
  AwaitText("order", wanted);
}

// Else one that hangs would be the last one.
TEST_F(NoticeProgramTest, OneThatTakesTooLongIsKilledWithWhatItStarted) {
  NoticeProgram::Options options = Script(
      "if [ \"$N\" = 1 ]; then sleep 1000 & wait; echo ended >> late; fi\n"
      "printf %s \"$N\" >> order");
  options.at_once = 1;
  options.limit = absl::Milliseconds(200);
  NoticeProgram program(options);
  program.Tell({"N=1"});
  program.Tell({"N=2"});
  AwaitText("order", "2");
  EXPECT_EQ(Text("late"), "");
}

TEST_F(NoticeProgramTest, OneThatOthersMayWriteOrNobodyMayRunIsRefused) {
  const std::string path = Script("exit 0").path;
  EXPECT_TRUE(CheckNoticeProgram(path).ok());
  for (mode_t others : {0775, 0757}) {
    ASSERT_EQ(chmod(path.c_str(), others), 0);
    EXPECT_THAT(CheckNoticeProgram(path).message(), HasSubstr("may write"));
  }
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  EXPECT_THAT(CheckNoticeProgram(path).message(), HasSubstr("may not run"));
  EXPECT_TRUE(absl::IsNotFound(CheckNoticeProgram(path + "2")));
  EXPECT_THAT(CheckNoticeProgram(folder_.path()).message(),
              HasSubstr("is no file"));
}

TEST_F(NoticeProgramTest, AProgramThatIsNotThereDoesNoHarm) {
  NoticeProgram::Options options;
  options.path = folder_.PathOf("none");
  NoticeProgram program(options);
  program.Tell({"HYDRA_EVENT=failed"});
}

TEST_F(NoticeProgramTest, MoreThanMayWaitAreLeftOut) {
  NoticeProgram::Options options = Script(
      "printf %s \"$N\" >> order; while [ ! -e go ]; do sleep 0.01; done");
  options.at_once = 1;
  options.most_waiting = 2;
  NoticeProgram program(options);
  program.Tell({"N=1"});
  AwaitText("order", "1");
  for (int i = 2; i < 9; ++i) program.Tell({absl::StrCat("N=", i)});
  std::ofstream(folder_.PathOf("go")) << "go";
  AwaitText("order", "123");
  program.Tell({"N=9"});
  AwaitText("order", "1239");
}

TEST_F(NoticeProgramTest, AStopHasAllTold) {
  NoticeProgram::Options options = Script("printf %s \"$N\" >> order");
  options.at_once = 1;
  NoticeProgram program(options);
  program.Tell({"N=1"});
  program.Tell({"N=2"});
  program.Stop(absl::Minutes(1));
  EXPECT_EQ(Text("order"), "12");
  program.Tell({"N=3"});
  program.Stop(absl::Minutes(1));
  EXPECT_EQ(Text("order"), "12");
}

TEST_F(NoticeProgramTest, AStopWithoutPatienceKillsWhatRuns) {
  NoticeProgram::Options options =
      Script("printf %s \"$N\" >> order; sleep 1000");
  options.at_once = 1;
  NoticeProgram program(options);
  program.Tell({"N=1"});
  program.Tell({"N=2"});
  AwaitText("order", "1");
  program.Stop(absl::ZeroDuration());
  EXPECT_EQ(Text("order"), "1");
}

}  // namespace
}  // namespace hydra
