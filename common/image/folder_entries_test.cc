#include "common/image/folder_entries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "common/file/file.h"
#include "common/file/file_user.h"
#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(FolderEntriesTest, TellsApartWhatIsThereInTheOrderOfBytes) {
  const ScratchDirectory folder;
  for (const char* name : {"b", "B", "a", "\xc3\xa9", ".hidden"}) {
    folder.MakeDirectory(name);
  }
  folder.Write("10.png", "x");
  folder.Write("9.png", "x");
  folder.Write(".DS_Store", "x");
  fs::create_symlink("9.png", folder.PathOf("0.png"));
  fs::create_directory_symlink("b", folder.PathOf("c"));
  fs::create_symlink("nothing", folder.PathOf("nowhere"));
  ASSERT_EQ(mkfifo(folder.PathOf("pipe").c_str(), 0600), 0);
  const absl::StatusOr<UniqueFd> opened = OpenDirectory(folder.path());
  ASSERT_TRUE(opened.ok()) << opened.status();
  // Each listing begins at the front.
  for (int i = 0; i < 2; ++i) {
    const auto entries = ReadFolderEntries(*opened, folder.path(), FileUser());
    ASSERT_TRUE(entries.ok()) << entries.status();
    EXPECT_THAT(entries->folders, ElementsAre("B", "a", "b", "c", "\xc3\xa9"));
    EXPECT_THAT(entries->files, ElementsAre("0.png", "10.png", "9.png"));
    EXPECT_THAT(entries->others, ElementsAre("nowhere", "pipe"));
  }
}

TEST(FolderEntriesTest, TooManyAreRefused) {
  const ScratchDirectory folder;
  for (const char* name : {"a", "b", "c"}) folder.Write(name, "x");
  const UniqueFd opened = *OpenDirectory(folder.path());
  EXPECT_TRUE(ReadFolderEntries(opened, "folder", FileUser(), 3).ok());
  const absl::Status status =
      ReadFolderEntries(opened, "folder", FileUser(), 2).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("folder has more than 2 entries"));
}

TEST(FolderEntriesTest, AnEmptyFolderHasNone) {
  const ScratchDirectory folder;
  const auto entries = ReadFolderEntries(*OpenDirectory(folder.path()),
                                         folder.path(), FileUser());
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_THAT(entries->folders, IsEmpty());
  EXPECT_THAT(entries->files, IsEmpty());
  EXPECT_THAT(entries->others, IsEmpty());
}

}  // namespace
}  // namespace hydra
