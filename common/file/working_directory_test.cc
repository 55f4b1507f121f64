#include "common/file/working_directory.h"

#include <filesystem>

#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

// Leaves the working directory as it was.
class WorkingDirectoryTest : public ::testing::Test {
 protected:
  ~WorkingDirectoryTest() override { fs::current_path(before_); }

  const fs::path before_ = fs::current_path();
  ScratchDirectory scratch_;
};

TEST_F(WorkingDirectoryTest, RelativePathsStartThere) {
  fs::current_path(scratch_.path());
  EXPECT_EQ(*WorkingDirectory(), scratch_.path());
  EXPECT_EQ(*AbsoluteFromHere("a/../b"), scratch_.path() + "/b");
  EXPECT_EQ(*AbsoluteFromHere("/a/./b"), "/a/b");
}

TEST_F(WorkingDirectoryTest, ARemovedOneIsAMessageAndNoMatterForOtherPaths) {
  const std::string gone = scratch_.path() + "/gone";
  fs::create_directory(gone);
  fs::current_path(gone);
  fs::remove(gone);
  EXPECT_EQ(WorkingDirectory().status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(AbsoluteFromHere("a").status().message()),
              HasSubstr("was it removed?"));
  EXPECT_EQ(*AbsoluteFromHere("/a"), "/a");
}

}  // namespace
}  // namespace hydra
