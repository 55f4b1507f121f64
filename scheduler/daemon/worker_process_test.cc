#include "scheduler/daemon/worker_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hydra {
namespace {

pid_t Sleeper() {
  const pid_t pid = fork();
  if (pid == 0) {
    while (true) pause();
  }
  return pid;
}

TEST(WorkerProcessTest, KnowsWhenAProcessBegan) {
  const pid_t pid = Sleeper();
  EXPECT_GE(*StartTimeOf(pid), *StartTimeOf(getpid()));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  EXPECT_EQ(StartTimeOf(pid).status().code(), absl::StatusCode::kNotFound);
}

TEST(WorkerProcessTest, KillsAndAwaitsAStoppedProcess) {
  const pid_t pid = Sleeper();
  kill(pid, SIGSTOP);
  const absl::StatusOr<ForeignProcess> process =
      ForeignProcess::Open(pid, *StartTimeOf(pid));
  ASSERT_TRUE(process.ok()) << process.status();
  process->Kill();
  process->AwaitEnd();
  // Dead, and not reaped yet.
  EXPECT_FALSE(StartTimeOf(pid).ok());
  process->Kill();
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

TEST(WorkerProcessTest, AnotherProcessWithTheSameIdIsNotTheSame) {
  const pid_t pid = Sleeper();
  EXPECT_EQ(ForeignProcess::Open(pid, *StartTimeOf(pid) + 1).status().code(),
            absl::StatusCode::kNotFound);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  EXPECT_EQ(ForeignProcess::Open(pid, 1).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hydra
