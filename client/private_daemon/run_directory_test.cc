#include "client/private_daemon/run_directory.h"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

TEST(RunDirectoryTest, GoesAwayWithAllThatIsInIt) {
  ScratchDirectory parent;
  auto directory = RunDirectory::Create(parent.path());
  ASSERT_TRUE(directory.ok()) << directory.status();
  const std::string path = (*directory)->path();
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
  std::ofstream(path + "/pool") << "x";
  directory->reset();
  EXPECT_FALSE(fs::exists(path));
}

TEST(RunDirectoryTest, LeavesThoseInUseAlone) {
  ScratchDirectory parent;
  auto first = RunDirectory::Create(parent.path());
  std::ofstream((*first)->path() + "/pool") << "x";
  auto second = RunDirectory::Create(parent.path());
  EXPECT_TRUE(fs::exists((*first)->path() + "/pool"));
  EXPECT_NE((*first)->path(), (*second)->path());
}

TEST(RunDirectoryTest, RemovesWhatAKilledRunLeftBehind) {
  ScratchDirectory parent;
  const pid_t pid = fork();
  if (pid == 0) {
    auto directory = RunDirectory::Create(parent.path());
    std::ofstream((*directory)->path() + "/pool") << "x";
    _exit(0);
  }
  ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
  ASSERT_FALSE(fs::is_empty(parent.path()));
  auto directory = RunDirectory::Create(parent.path());
  int count = 0;
  for (const auto& entry : fs::directory_iterator(parent.path())) {
    EXPECT_EQ(entry.path().string(), (*directory)->path());
    ++count;
  }
  EXPECT_EQ(count, 1);
}

TEST(RunDirectoryTest, SaysWhenItCannotBeMade) {
  EXPECT_FALSE(RunDirectory::Create("/proc").ok());
}

}  // namespace
}  // namespace hydra
