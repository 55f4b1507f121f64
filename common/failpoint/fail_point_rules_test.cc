#include "common/failpoint/fail_point_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace hydra {
namespace {

using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::KilledBySignal;

void PassTimes(const std::string& text, int times) {
  auto rules = FailPointRules::Parse(text);
  ASSERT_TRUE(rules.ok()) << rules.status();
  for (int i = 0; i < times; ++i) rules->Pass("here", /*job=*/7);
}

void PassAndExit(const std::string& text, int times) {
  PassTimes(text, times);
  std::exit(0);
}

TEST(FailPointRulesDeathTest, KillsAtTheNamedPass) {
  EXPECT_EXIT(PassAndExit("here=kill@3", 3), KilledBySignal(SIGKILL),
              "fail point here, pass 3");
  EXPECT_EXIT(PassAndExit("here=kill@3", 2), ExitedWithCode(0), "");
  EXPECT_EXIT(PassAndExit("there=kill@1", 9), ExitedWithCode(0), "");
}

TEST(FailPointRulesDeathTest, ARuleMayBeForOneJob) {
  EXPECT_EXIT(PassAndExit("here/7=kill@2", 2), KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(PassAndExit("here/8=kill@1+", 2), ExitedWithCode(0), "");
}

TEST(FailPointRulesDeathTest, AbortsAtTheSecondOfTwoRules) {
  EXPECT_EXIT(PassAndExit("there=kill@1,here=abort@2", 2),
              KilledBySignal(SIGABRT), "fail point here, pass 2");
}

TEST(FailPointRulesDeathTest, AMarkerLetsOneProcessFailOnce) {
  const std::string marker =
      absl::StrCat(testing::TempDir(), "/marker-", getpid());
  const std::string text = "here=kill@1+:" + marker;
  EXPECT_EXIT(PassAndExit(text, 1), KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(PassAndExit(text, 5), ExitedWithCode(0), "");
  unlink(marker.c_str());
}

TEST(FailPointRulesTest, StopsThisProcessUntilItIsContinued) {
  const pid_t child = fork();
  if (child == 0) {
    PassTimes("here=stop@1", 1);
    _exit(7);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(WIFSTOPPED(status));
  kill(child, SIGCONT);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(FailPointRulesTest, HangsForEver) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    PassTimes("here=hang@1", 1);
    _exit(0);
  }
  // It is in the place once it has said so.
  char byte = 0;
  ASSERT_EQ(read(ends[0], &byte, 1), 1);
  EXPECT_EQ(waitpid(child, nullptr, WNOHANG), 0);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
}

TEST(FailPointRulesTest, SleepsAtEveryPassFromTheNamedOneOn) {
  const absl::Time start = absl::Now();
  PassTimes("here=sleep:20@2+", 4);
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(60));
}

TEST(FailPointRulesTest, SleepsUntilThereIsAFile) {
  const std::string file = absl::StrCat(testing::TempDir(), "/go-", getpid());
  const pid_t child = fork();
  if (child == 0) {
    PassTimes("here=until:" + file + "@1", 1);
    _exit(7);
  }
  EXPECT_EQ(waitpid(child, nullptr, WNOHANG), 0);
  std::ofstream(file) << "go";
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  unlink(file.c_str());
}

TEST(FailPointRulesTest, SaysWhatCannotBeRead) {
  for (const auto& [text, part] :
       std::vector<std::pair<std::string, std::string>>{
           {"", "NAME=ACTION@PASS"},
           {"here", "NAME=ACTION@PASS"},
           {"=kill@1", "NAME=ACTION@PASS"},
           {"here=kill", "NAME=ACTION@PASS"},
           {"here=die@1", "\"die\""},
           {"here=sleep:x@1", "\"sleep:x\""},
           {"here=until:@1", "\"until:\""},
           {"here=kill@0", "\"0\""},
           {"here=kill@x+", "\"x+\""},
           {"here/j=kill@1", "\"here/j\""}}) {
    const auto rules = FailPointRules::Parse(text);
    ASSERT_FALSE(rules.ok()) << text;
    EXPECT_EQ(rules.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(rules.status().message()), HasSubstr(part));
  }
}

}  // namespace
}  // namespace hydra
