#include "client/private_daemon/run_folder.h"

#include <filesystem>
#include <set>
#include <thread>
#include <vector>

#include "common/file/scratch_directory.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(MakeRunFolderTest, RunsOfTheSameSecondHaveAFolderEach) {
  const ScratchDirectory scratch;
  const std::string parent = scratch.PathOf("runs");
  std::vector<std::string> folders(8);
  std::vector<std::thread> runs;
  for (std::string& folder : folders) {
    runs.emplace_back([&] { folder = MakeRunFolder(parent, "now").value(); });
  }
  for (std::thread& run : runs) run.join();
  EXPECT_EQ(std::set<std::string>(folders.begin(), folders.end()),
            std::set<std::string>({parent + "/now", parent + "/now-2",
                                   parent + "/now-3", parent + "/now-4",
                                   parent + "/now-5", parent + "/now-6",
                                   parent + "/now-7", parent + "/now-8"}));
}

TEST(RemoveRunFolderTest, TakesTheParentAlongWithTheLastRun) {
  const ScratchDirectory scratch;
  const std::string parent = scratch.PathOf("runs");
  const std::string first = MakeRunFolder(parent, "now").value();
  const std::string second = MakeRunFolder(parent, "now").value();
  const auto claimed = ClaimRunFolder(first);
  EXPECT_TRUE(RemoveRunFolder(first).ok());
  EXPECT_FALSE(std::filesystem::exists(first));
  EXPECT_TRUE(std::filesystem::exists(second));
  EXPECT_TRUE(RemoveRunFolder(second).ok());
  EXPECT_FALSE(std::filesystem::exists(parent));
}

TEST(MakeRunFolderTest, SaysWhatTheSystemSaid) {
  const ScratchDirectory scratch;
  scratch.Write("file", "");
  EXPECT_FALSE(MakeRunFolder(scratch.PathOf("file"), "now").ok());
}

TEST(ClaimRunFolderTest, OneRunAtATime) {
  const ScratchDirectory scratch;
  const std::string folder = scratch.PathOf("a/b");
  {
    const auto claimed = ClaimRunFolder(folder);
    ASSERT_TRUE(claimed.ok()) << claimed.status();
    EXPECT_TRUE(absl::IsUnavailable(ClaimRunFolder(folder).status()));
  }
  EXPECT_TRUE(ClaimRunFolder(folder).ok());
}

}  // namespace
}  // namespace hydra
