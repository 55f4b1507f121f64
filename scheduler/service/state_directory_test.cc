#include "scheduler/service/state_directory.h"

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

TEST(StateDirectoryTest, CountsJobsOnFromThoseThatLeftAnOutput) {
  const std::string path = FreshPath();
  const StateDirectory directory = *StateDirectory::Open(path);
  EXPECT_EQ(directory.NextJob(), 1);
  for (const char* name : {"j2-small", "j10-large", "j-x", "other"}) {
    fs::create_directories(directory.outputs() + "/" + name);
  }
  EXPECT_EQ(directory.NextJob(), 11);
}

TEST(StateDirectoryTest, SaysWhatItCannotMake) {
  EXPECT_EQ(StateDirectory::Open("/proc/hydra").status().code(),
            absl::StatusCode::kPermissionDenied);
}

}  // namespace
}  // namespace hydra
