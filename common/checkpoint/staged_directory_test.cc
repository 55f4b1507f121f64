#include "common/checkpoint/staged_directory.h"

#include <filesystem>
#include <iterator>

#include "common/checkpoint/testing.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
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
    WriteFile(staged.directory().path() + "/f", "x");
    EXPECT_FALSE(fs::exists(final_path_));
    ASSERT_TRUE(staged.Commit().ok());
  }
  EXPECT_THAT(folder_.Names(), ElementsAre("d"));
  EXPECT_EQ(ReadFile(final_path_ + "/f"), "x");
}

TEST_F(StagedDirectoryTest, WithoutCommitNothingIsLeft) {
  { WriteFile(Create().directory().path() + "/f", "x"); }
  EXPECT_THAT(folder_.Names(), IsEmpty());
}

TEST_F(StagedDirectoryTest, ReplacesAnOlderOneWhole) {
  WriteOlder();
  {
    StagedDirectory staged = Create();
    WriteFile(staged.directory().path() + "/newer", "x");
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
  const std::string path = Create().directory().path();
  fs::create_directory(path);
  WriteFile(path + "/left", "x");
  const StagedDirectory staged = Create();
  EXPECT_EQ(staged.directory().path(), path);
  EXPECT_TRUE(fs::is_empty(path));
}

TEST_F(StagedDirectoryTest, FilesGoBesideWhatIsThere) {
  WriteOlder();
  WriteFile(final_path_ + "/newer", "an older one");
  {
    StagedDirectory staged = Create();
    WriteFile(staged.directory().path() + "/newer", "n");
    WriteFile(staged.directory().path() + "/last", "l");
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
  WriteFile(staged.directory().path() + "/a", "x");
  WriteFile(staged.directory().path() + "/last", "l");
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

TEST_F(StagedDirectoryTest, OnlyItsOwnNamesAreLeftovers) {
  std::vector<std::string> others = {"d.tmp-",       "d.tmp-1-",
                                     "d.tmp-1-mine", "d.tmp-1x",
                                     "d.tmp-a",      "d.tmp-old-replaced"};
  for (const std::string& name : others) {
    fs::create_directory(folder_.PathOf(name));
  }
  fs::create_directory(folder_.PathOf("d.tmp-1-removed"));
  EXPECT_TRUE(RemoveLeftoversOf(final_path_).ok());
  EXPECT_THAT(folder_.Names(), testing::UnorderedElementsAreArray(others));
}

TEST_F(StagedDirectoryTest, ALeftoverThatStaysKeepsNoOther) {
  // Deeper than what is removed.
  std::string deep = folder_.PathOf("d.tmp-1");
  for (int i = 0; i < 110; ++i) deep += "/x";
  fs::create_directories(deep);
  fs::create_directory(folder_.PathOf("d.tmp-2"));
  EXPECT_FALSE(RemoveLeftoversOf(final_path_).ok());
  EXPECT_THAT(folder_.Names(), ElementsAre("d.tmp-1"));
}

TEST_F(StagedDirectoryTest, AKillBetweenTwoRenamesBringsBackTheOlderOne) {
  WriteOlder();
  const std::string staged = Create().directory().path();
  fs::create_directory(staged);
  fs::rename(final_path_, folder_.PathOf(RemovableName("d", "replaced")));
  EXPECT_TRUE(RemoveLeftoversOf(final_path_).ok());
  EXPECT_THAT(folder_.Names(), ElementsAre("d"));
  EXPECT_TRUE(fs::exists(final_path_ + "/older"));
}

// Somebody else who may rename what is above the path swaps it for a link to
// another's, with the same names in it.
class SwappedFolderTest : public StagedDirectoryTest {
 protected:
  SwappedFolderTest() {
    fs::create_directories(folder_.PathOf("own"));
    fs::create_directories(another_ + "/d.tmp-1");
    fs::create_directories(another_ + "/d");
    WriteFile(another_ + "/d/f", "another's");
  }
  ~SwappedFolderTest() override {
    EXPECT_EQ(ReadFiles(another_ + "/d").size(), 1);
    EXPECT_EQ(ReadFile(another_ + "/d/f"), "another's");
    EXPECT_EQ(std::distance(fs::directory_iterator(another_), {}), 2);
  }

  StagedDirectory CreateOwn() {
    auto staged = StagedDirectory::Create(folder_.PathOf("own/d"));
    EXPECT_TRUE(staged.ok()) << staged.status();
    return *std::move(staged);
  }

  void Swap(const std::string& name, const std::string& target) {
    fs::rename(folder_.PathOf(name), folder_.PathOf(name + ".moved"));
    fs::create_directory_symlink(target, folder_.PathOf(name));
  }

  const std::string another_ = folder_.PathOf("another");
};

TEST_F(SwappedFolderTest, NothingIsStagedOrRemovedBehindALink) {
  Swap("own", another_);
  for (const absl::Status& status :
       {StagedDirectory::Create(folder_.PathOf("own/d")).status(),
        StagedDirectory::Create(folder_.PathOf("own/new/d")).status(),
        RemoveLeftoversOf(folder_.PathOf("own/d"))}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(status.message(),
                HasSubstr(folder_.PathOf("own") + " is a symbolic link"));
  }
}

TEST_F(SwappedFolderTest, ASwapBeforeTheCommitIsFound) {
  {
    StagedDirectory staged = CreateOwn();
    ASSERT_TRUE(staged.directory().CreateFile("f").ok());
    Swap("own", another_);
    EXPECT_TRUE(absl::IsFailedPrecondition(staged.Commit()));
    EXPECT_TRUE(absl::IsFailedPrecondition(staged.CommitFiles("f")));
  }
  EXPECT_TRUE(fs::is_empty(folder_.PathOf("own.moved")));
}

TEST_F(SwappedFolderTest, FilesDoNotGoIntoALink) {
  StagedDirectory staged = CreateOwn();
  ASSERT_TRUE(staged.directory().CreateFile("f").ok());
  fs::create_directory_symlink(another_ + "/d", folder_.PathOf("own/d"));
  EXPECT_TRUE(absl::IsFailedPrecondition(staged.CommitFiles("f")));
}

TEST_F(SwappedFolderTest, ALinkIsNotReplaced) {
  StagedDirectory staged = CreateOwn();
  fs::create_directory_symlink(another_ + "/d", folder_.PathOf("own/d"));
  EXPECT_TRUE(absl::IsFailedPrecondition(staged.Commit()));
}

TEST_F(SwappedFolderTest, ALinkInPlaceOfWhatIsStagedIsNotFollowed) {
  StagedDirectory staged = CreateOwn();
  Swap(fs::path(staged.directory().path())
           .lexically_relative(folder_.path())
           .string(),
       another_ + "/d");
  ASSERT_TRUE(staged.directory().CreateFile("g").ok());
}

// A real directory, which opening without links does not notice.
TEST_F(SwappedFolderTest, WhatHasItsNameMeanwhileIsNotRemoved) {
  std::string name;
  {
    StagedDirectory staged = CreateOwn();
    ASSERT_TRUE(staged.directory().CreateFile("f").ok());
    name = staged.directory().path();
    fs::rename(name, name + ".moved");
    fs::copy(another_ + "/d", name);
  }
  EXPECT_EQ(ReadFile(name + "/f"), "another's");
  EXPECT_TRUE(fs::is_empty(name + ".moved"));
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
