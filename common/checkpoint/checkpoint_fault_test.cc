// Writers that are killed, and disks that are full.

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <iterator>
#include <random>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/checkpoint/checkpoint_writer.h"
#include "common/checkpoint/testing.h"
#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

// What a child process may answer beside 0.
constexpr int kFailed = 1;
constexpr int kNotPermitted = 2;

// Runs `work` in a child process and ends it with the answer.
pid_t Fork(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  return child;
}

int AnswerOf(pid_t child) {
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// Writes one new checkpoint after the other, and each time step 0 anew, until
// it is killed.
int WriteForever(const std::string& folder, int ready) {
  for (int64_t step = 1;; ++step) {
    TestCheckpoint replaced(folder + "/" + CheckpointDirectoryName({0, false}),
                            static_cast<uint32_t>(step));
    TestCheckpoint fresh(folder + "/" + CheckpointDirectoryName({step, true}),
                         static_cast<uint32_t>(step));
    if (!Write(replaced).ok() || !Write(fresh).ok()) return kFailed;
    if (!RemoveCheckpoint(fresh.contents.directory).ok()) return kFailed;
    if (step == 1 && write(ready, "x", 1) != 1) return kFailed;
  }
}

// Kills it some time after its first round.
void KillAWriter(const std::string& folder, absl::Duration after) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = Fork([&] { return WriteForever(folder, ends[1]); });
  close(ends[1]);
  char byte;
  ASSERT_EQ(read(ends[0], &byte, 1), 1);
  close(ends[0]);
  absl::SleepFor(after);
  kill(child, SIGKILL);
  ASSERT_EQ(AnswerOf(child), -SIGKILL);
}

TEST(KilledWriterTest, LeavesOnlyWholeCheckpointsUnderTheirNames) {
  ScratchDirectory folder;
  std::mt19937 random(1);
  int rounds_with_leftovers = 0;
  for (int round = 0; round < 50; ++round) {
    KillAWriter(folder.path(), absl::Microseconds(random() % 20'000));
    const auto entries = ListCheckpoints(folder.path());
    ASSERT_TRUE(entries.ok()) << entries.status();
    ASSERT_FALSE(entries->empty());
    EXPECT_EQ(entries->front().path, folder.PathOf("checkpoint-0"));
    for (const CheckpointEntry& entry : *entries) {
      const absl::Status status = VerifyCheckpoint(entry.path);
      EXPECT_TRUE(status.ok()) << status;
    }
    if (folder.Names().size() > entries->size()) ++rounds_with_leftovers;
    ASSERT_TRUE(RemoveLeftovers(folder.path()).ok());
    EXPECT_EQ(folder.Names().size(), entries->size());
    for (size_t i = 1; i < entries->size(); ++i) {
      EXPECT_TRUE(RemoveCheckpoint((*entries)[i].path).ok());
    }
  }
  // Else no kill ever met a writer at work.
  EXPECT_GT(rounds_with_leftovers, 0);
}

// 0 if a write fails for lack of room and leaves nothing but the first one.
int WriteWithoutRoom(const std::string& folder, const TestCheckpoint& first,
                     const TestCheckpoint& second) {
  const absl::Status status = Write(second);
  const auto entries = ListCheckpoints(folder);
  const bool first_alone =
      entries.ok() && entries->size() == 1 &&
      entries->front().path == first.contents.directory &&
      std::distance(fs::directory_iterator(folder), {}) == 1;
  if (absl::IsResourceExhausted(status) && first_alone &&
      VerifyCheckpoint(first.contents.directory).ok()) {
    return 0;
  }
  fprintf(stderr, "%s\n", status.ToString().c_str());
  return kFailed;
}

TEST(FullDiskTest, AFileSizeLimitLeavesTheOlderCheckpoint) {
  ScratchDirectory folder;
  const TestCheckpoint first(folder.PathOf("checkpoint-1"), 1);
  ASSERT_TRUE(Write(first).ok());
  // Each limit is just too low for one of the files.
  for (const auto& file : fs::directory_iterator(first.contents.directory)) {
    const rlim_t limit = file.file_size() - 1;
    for (const char* name : {"checkpoint-1", "checkpoint-2"}) {
      const TestCheckpoint second(folder.PathOf(name), 2);
      const pid_t child = Fork([&] {
        signal(SIGXFSZ, SIG_IGN);
        const rlimit bytes = {limit, limit};
        if (setrlimit(RLIMIT_FSIZE, &bytes) != 0) return kFailed;
        return WriteWithoutRoom(folder.path(), first, second);
      });
      EXPECT_EQ(AnswerOf(child), 0) << name << ", " << file.path();
    }
  }
  ExpectOnDisk(first);
}

// In a process of its own, since the mount ends with it.
int FillSmallDisk(const std::string& folder) {
  if (unshare(CLONE_NEWNS) != 0 ||
      mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("none", folder.c_str(), "tmpfs", 0, "size=1m") != 0) {
    return kNotPermitted;
  }
  const TestCheckpoint first(folder + "/checkpoint-1", 1);
  if (!Write(first).ok()) return kFailed;

  // The tensors have room, one file behind them does not.
  TestCheckpoint second(folder + "/checkpoint-2", 2);
  second.contents.config_json = std::string(1 << 20, ' ');
  if (WriteWithoutRoom(folder, first, second) != 0) return kFailed;

  // The tensors have none.
  TestCheckpoint third(folder + "/checkpoint-3", 3);
  const std::vector<std::byte> large(1 << 20);
  third.contents.blocks.push_back(
      {worker::v1::BLOCK_KIND_ACTIVATION, 1, 0, 1 << 20, large.data()});
  if (WriteWithoutRoom(folder, first, third) != 0) return kFailed;

  // Neither had an effect on what does fit.
  return Write(TestCheckpoint(folder + "/checkpoint-4", 4)).ok() ? 0 : kFailed;
}

TEST(FullDiskTest, ADiskWithoutRoomLeavesTheOlderCheckpoint) {
  ScratchDirectory folder;
  const int answer =
      AnswerOf(Fork([&] { return FillSmallDisk(folder.path()); }));
  if (answer == kNotPermitted) GTEST_SKIP() << "this user may not mount";
  EXPECT_EQ(answer, 0);
}

}  // namespace
}  // namespace hydra
