#include "common/checkpoint/staged_directory.h"

#include <filesystem>

#include "common/checkpoint/testing.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class StagedDirectoryTest : public testing::Test {
 protected:
  StagedDirectory Create() {
    absl::StatusOr<StagedDirectory> staged =
        StagedDirectory::Create(final_path_);
    EXPECT_TRUE(staged.ok()) << staged.status();
    return *std::move(staged);
  }

  void WriteOlder() {
    fs::create_directory(final_path_);
    WriteFile(final_path_ + "/older", "x");
  }

  ScratchDirectory folder_;
  const std::string final_path_ = folder_.PathOf("d");
};

TEST_F(StagedDirectoryTest, AppearsWhenItIsCommitted) {
  {
    StagedDirectory staged = Create();
    WriteFile(staged.path() + "/f", "x");
    EXPECT_FALSE(fs::exists(final_path_));
    ASSERT_TRUE(staged.Commit().ok());
  }
  EXPECT_THAT(folder_.Names(), ElementsAre("d"));
  EXPECT_EQ(ReadFile(final_path_ + "/f"), "x");
}

TEST_F(StagedDirectoryTest, WithoutCommitNothingIsLeft) {
  { WriteFile(Create().path() + "/f", "x"); }
  EXPECT_THAT(folder_.Names(), IsEmpty());
}

TEST_F(StagedDirectoryTest, ReplacesAnOlderOneWhole) {
  WriteOlder();
  {
    StagedDirectory staged = Create();
    WriteFile(staged.path() + "/newer", "x");
    EXPECT_TRUE(fs::exists(final_path_ + "/older"));
    ASSERT_TRUE(staged.Commit().ok());
  }
  EXPECT_THAT(folder_.Names(), ElementsAre("d"));
  EXPECT_TRUE(fs::exists(final_path_ + "/newer"));
  EXPECT_FALSE(fs::exists(final_path_ + "/older"));
}

TEST_F(StagedDirectoryTest, AFileInItsPlaceStays) {
  WriteFile(final_path_, "a file");
  EXPECT_FALSE(Create().Commit().ok());
  EXPECT_THAT(folder_.Names(), ElementsAre("d"));
  EXPECT_EQ(ReadFile(final_path_), "a file");
}

TEST_F(StagedDirectoryTest, BeginsEmptyAlsoWhereAnOlderProcessLeftSome) {
  const std::string path = Create().path();
  fs::create_directory(path);
  WriteFile(path + "/left", "x");
  const StagedDirectory staged = Create();
  EXPECT_EQ(staged.path(), path);
  EXPECT_TRUE(fs::is_empty(path));
}

TEST_F(StagedDirectoryTest, FilesGoBesideWhatIsThere) {
  WriteOlder();
  WriteFile(final_path_ + "/newer", "an older one");
  {
    StagedDirectory staged = Create();
    WriteFile(staged.path() + "/newer", "n");
    WriteFile(staged.path() + "/last", "l");
    ASSERT_TRUE(staged.CommitFiles("last").ok());
  }
  EXPECT_THAT(folder_.Names(), ElementsAre("d"));
  EXPECT_EQ(ReadFile(final_path_ + "/older"), "x");
  EXPECT_EQ(ReadFile(final_path_ + "/newer"), "n");
  EXPECT_EQ(ReadFile(final_path_ + "/last"), "l");
}

TEST_F(StagedDirectoryTest, TheLastFileComesOnlyWithAllOthers) {
  fs::create_directories(final_path_ + "/a");
  StagedDirectory staged = Create();
  // A file cannot replace a directory.
  WriteFile(staged.path() + "/a", "x");
  WriteFile(staged.path() + "/last", "l");
  EXPECT_FALSE(staged.CommitFiles("last").ok());
  EXPECT_FALSE(fs::exists(final_path_ + "/last"));
}

TEST_F(StagedDirectoryTest, LeftoversOfAKillGo) {
  WriteOlder();
  for (const char* name : {"d.tmp-1", "d.tmp-1-replaced", "d2.tmp-1"}) {
    fs::create_directory(folder_.PathOf(name));
  }
  EXPECT_TRUE(RemoveLeftoversOf(final_path_).ok());
  EXPECT_THAT(folder_.Names(), ElementsAre("d", "d2.tmp-1"));
  EXPECT_TRUE(fs::exists(final_path_ + "/older"));
  EXPECT_TRUE(RemoveLeftoversOf(folder_.PathOf("none/d")).ok());
}

TEST_F(StagedDirectoryTest, AKillBetweenTwoRenamesBringsBackTheOlderOne) {
  WriteOlder();
  const std::string staged = Create().path();
  fs::create_directory(staged);
  fs::rename(final_path_, RemovablePath(final_path_, "replaced"));
  EXPECT_TRUE(RemoveLeftoversOf(final_path_).ok());
  EXPECT_THAT(folder_.Names(), ElementsAre("d"));
  EXPECT_TRUE(fs::exists(final_path_ + "/older"));
}

TEST_F(StagedDirectoryTest, MakesTheFoldersAboveIt) {
  {
    auto staged = StagedDirectory::Create(folder_.PathOf("a/b/c"));
    ASSERT_TRUE(staged.ok()) << staged.status();
    ASSERT_TRUE(staged->Commit().ok());
  }
  EXPECT_TRUE(fs::is_directory(folder_.PathOf("a/b/c")));
  WriteFile(folder_.PathOf("f"), "x");
  EXPECT_FALSE(StagedDirectory::Create(folder_.PathOf("f/c")).ok());
}

}  // namespace
}  // namespace hydra
