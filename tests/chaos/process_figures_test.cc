#include "tests/chaos/process_figures.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

namespace hydra {
namespace {

TEST(ProcessFiguresTest, ThisProcessHoldsWhatItHolds) {
  const ProcessFigures before = FiguresOf(getpid());
  EXPECT_EQ(before.threads, 1);
  constexpr int kBytes = 8 << 20;
  const std::vector<char> memory(kBytes, 1);
  const int descriptor = dup(0);
  const ProcessFigures after = FiguresOf(getpid());
  close(descriptor);
  EXPECT_GE(after.anonymous_bytes - before.anonymous_bytes, kBytes / 2);
  EXPECT_EQ(after.descriptors, before.descriptors + 1);
  EXPECT_GT(after.shared_bytes, 0);
  EXPECT_GE(after.cpu_seconds, before.cpu_seconds);
}

TEST(ProcessFiguresTest, AnEndedProcessHoldsNothing) {
  const ProcessFigures figures = FiguresOf(-1);
  EXPECT_EQ(figures.anonymous_bytes, 0);
  EXPECT_EQ(figures.descriptors, 0);
}

TEST(HasEndedTest, SaysWhetherAChildRuns) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  EXPECT_FALSE(HasEnded(child));
  kill(child, SIGKILL);
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, child, &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(HasEnded(child));
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(HasEnded(child));
}

TEST(DiskBytesTest, CountsFilesBelow) {
  const std::string directory = testing::TempDir() + "/disk_bytes/below";
  std::filesystem::create_directories(directory);
  constexpr int kBytes = 1 << 20;
  const int file = open((directory + "/file").c_str(), O_CREAT | O_RDWR, 0600);
  ASSERT_EQ(posix_fallocate(file, 0, kBytes), 0);
  close(file);
  EXPECT_GE(DiskBytes(testing::TempDir() + "/disk_bytes"), kBytes);
}

}  // namespace
}  // namespace hydra
