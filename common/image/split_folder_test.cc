#include "common/image/split_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/file/file.h"
#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(SplitFolderTest, ItsFoldersAreClasses) {
  const ScratchDirectory folder;
  for (const char* name : {"dog", "cat", ".cache"}) folder.MakeDirectory(name);
  folder.Write("readme.txt", "x");
  folder.Write("loose.png", "x");
  fs::create_directory_symlink("cat", folder.PathOf("eel"));
  const auto split = ReadSplitFolder(folder.path(), FileAccess());
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_THAT(split->classes, ElementsAre("cat", "dog", "eel"));
  EXPECT_EQ(split->others.count, 2);
  EXPECT_EQ(split->others.first, folder.PathOf("loose.png"));
}

TEST(SplitFolderTest, SeveralHaveTheClassesOfAll) {
  SplitFolder first;
  first.classes = {"b", "d"};
  SplitFolder second;
  second.classes = {"a", "b"};
  EXPECT_THAT(ClassesOf({first, second}), ElementsAre("a", "b", "d"));
}

TEST(SplitFolderTest, WhatIsNoSuchFolderIsNamed) {
  const ScratchDirectory folder;
  folder.MakeDirectory("empty");
  folder.Write("file", "x");
  const auto error_of = [&](const std::string& path, const FileAccess& access) {
    const absl::Status status = ReadSplitFolder(path, access).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
    return status;
  };
  const absl::Status empty = error_of(folder.PathOf("empty"), FileAccess());
  EXPECT_TRUE(absl::IsInvalidArgument(empty));
  EXPECT_THAT(std::string(empty.message()), HasSubstr("one for each class"));
  EXPECT_FALSE(error_of(folder.PathOf("file"), FileAccess()).ok());
  EXPECT_TRUE(absl::IsNotFound(error_of(folder.PathOf("none"), FileAccess())));
  EXPECT_TRUE(absl::IsPermissionDenied(
      error_of(folder.path(), AccessBelow({folder.PathOf("empty")}))));
}

}  // namespace
}  // namespace hydra
