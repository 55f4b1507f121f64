#include "client/private_daemon/child_process.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

class ChildProcessTest : public ::testing::Test {
 protected:
  std::unique_ptr<ChildProcess> Shell(const std::string& script) {
    auto child = ChildProcess::Start({"/bin/sh", "-c", script}, LogPath());
    EXPECT_TRUE(child.ok()) << child.status();
    return *std::move(child);
  }

  std::string LogPath() const { return directory_.path() + "/log"; }

  std::string Log() const {
    std::ifstream file(LogPath());
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  // Until the script has written something.
  void AwaitLog(ChildProcess* child) {
    while (Log().empty()) ASSERT_FALSE(child->WaitFor(absl::Milliseconds(2)));
  }

  ScratchDirectory directory_;
};

TEST_F(ChildProcessTest, LogsOutputAndErrors) {
  const auto child = Shell("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(child->WaitFor(absl::InfiniteDuration()));
  EXPECT_EQ(Log(), "out\nerr\n");
  EXPECT_EQ(child->HowItEnded(), "exited with code 3");
}

TEST_F(ChildProcessTest, StopsWithSigtermWhenTheProgramObeys) {
  const auto child =
      Shell("trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done");
  AwaitLog(child.get());
  EXPECT_TRUE(child->Stop(absl::InfiniteDuration()));
  EXPECT_EQ(child->HowItEnded(), "exited with code 0");
}

TEST_F(ChildProcessTest, KillsAProgramThatDoesNotObey) {
  const auto child =
      Shell("trap '' TERM; echo up; while :; do sleep 0.01; done");
  AwaitLog(child.get());
  EXPECT_FALSE(child->Stop(absl::Milliseconds(20)));
  EXPECT_EQ(child->HowItEnded(), "was killed by signal 9 (Killed)");
}

TEST_F(ChildProcessTest, SaysWhyAProgramDidNotStart) {
  auto child = ChildProcess::Start({"/no/such/program"}, LogPath());
  ASSERT_TRUE(child.ok());
  ASSERT_TRUE((*child)->WaitFor(absl::InfiniteDuration()));
  EXPECT_EQ((*child)->HowItEnded(), "exited with code 127");
  EXPECT_EQ(Log(), "No such file or directory");
}

TEST_F(ChildProcessTest, DiesWithItsParent) {
  // Orphans come to this process, so that it can see them end.
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  int pipe_fds[2];
  ASSERT_EQ(pipe(pipe_fds), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    const auto child = ChildProcess::Start({"/bin/sleep", "1000"}, LogPath());
    const pid_t pid = (*child)->pid();
    if (write(pipe_fds[1], &pid, sizeof(pid)) != sizeof(pid)) _exit(1);
    raise(SIGKILL);
  }
  pid_t child = 0;
  ASSERT_EQ(read(pipe_fds[0], &child, sizeof(child)), sizeof(child));
  ASSERT_EQ(waitpid(parent, nullptr, 0), parent);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 127);
}

}  // namespace
}  // namespace hydra
