#include "scheduler/daemon/state_directory.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace hydra {
namespace {

namespace fs = std::filesystem;

std::string FreshPath() {
  const std::string path = ::testing::TempDir() + "/state";
  fs::remove_all(path);
  return path;
}

TEST(StateDirectoryTest, BelongsToOneDaemonAtATime) {
  const std::string path = FreshPath();
  absl::StatusOr<StateDirectory> first = StateDirectory::Open(path);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(StateDirectory::Open(path).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

fs::perms ModeOf(const std::string& path) {
  return fs::status(path).permissions();
}

TEST(StateDirectoryTest, KeepsOthersOut) {
  const std::string path = FreshPath();
  fs::create_directories(path + "/tokens");
  for (const std::string& made : {path, path + "/tokens"}) {
    fs::permissions(made, fs::perms(0755));
  }
  ASSERT_TRUE(StateDirectory::Open(path).ok());
  for (const char* folder : {"", "/outputs", "/tokens", "/partitions", "/logs",
                             "/logs/jobs", "/run"}) {
    EXPECT_EQ(ModeOf(path + folder), fs::perms(0700)) << folder;
  }
}

TEST(StateDirectoryTest, LetsOthersPassToASocketInIt) {
  const std::string path = FreshPath();
  ASSERT_TRUE(StateDirectory::Open(path, /*others_pass=*/true).ok());
  EXPECT_EQ(ModeOf(path), fs::perms(0711));
  EXPECT_EQ(ModeOf(path + "/tokens"), fs::perms(0700));
}

TEST(StateDirectoryTest, SaysWhatItCannotMake) {
  EXPECT_EQ(StateDirectory::Open("/proc/hydra").status().code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace hydra
