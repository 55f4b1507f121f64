#include "common/file/file_user.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "common/broker/files_process.h"
#include "common/file/file.h"
#include "common/file/held_directory.h"
#include "common/file/private_places.h"
#include "common/file/scratch_directory.h"
#include "common/image/folder_entries.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Debian's "nobody", and a number that nobody has.
constexpr uint32_t kUser = 65534;
constexpr uint32_t kNoUser = 0x7ffffff0;

uid_t OwnerOf(const std::string& path) {
  struct stat facts = {};
  EXPECT_EQ(lstat(path.c_str(), &facts), 0) << path;
  return facts.st_uid;
}

TEST(FileUserTest, WithoutHydraFilesEverybodyIsThisProcess) {
  SetFileBroker("");
  EXPECT_TRUE(UserOf(kUser).is_own());
  EXPECT_TRUE(FileUser().is_own());
}

TEST(FileUserTest, ARootNeedNotBeReadableForThisProcess) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become other users";
  const ScratchDirectory folder;
  folder.MakeDirectory("root");
  ASSERT_EQ(chmod(folder.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(folder.PathOf("root").c_str(), 0700), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (setresuid(kUser, kUser, kUser) != 0) _exit(1);
    _exit(RealRoots({folder.PathOf("root")}).size() == 1 ? 0 : 2);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// hydra-files in a process of its own.
class BrokeredUserTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can become other users";
    ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
    const std::string path = folder_.PathOf("socket");
    files_.emplace(path);
    SetFileBroker(path);
    his_ = folder_.PathOf("his");
    folder_.MakeDirectory("his");
    ASSERT_EQ(chown(his_.c_str(), kUser, kUser), 0);
    ASSERT_EQ(chmod(his_.c_str(), 0700), 0);
  }
  ~BrokeredUserTest() override { SetFileBroker(""); }

  const ScratchDirectory folder_;
  std::string his_;
  std::optional<broker::FilesProcess> files_;
};

TEST_F(BrokeredUserTest, ADirectoryIsHeldAndChangedAsTheUser) {
  const auto held = HeldDirectory::Make(his_ + "/a/b", UserOf(kUser));
  ASSERT_TRUE(held.ok()) << held.status();
  EXPECT_EQ(OwnerOf(his_ + "/a/b"), kUser);
  ASSERT_TRUE(held->CreateFile("file").ok());
  EXPECT_EQ(OwnerOf(his_ + "/a/b/file"), kUser);
  EXPECT_TRUE(held->HasFile("file"));
  EXPECT_TRUE(absl::IsAlreadyExists(held->CreateFile("file").status()));
  const auto folder = held->MakeFolder("folder");
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(held->Rename("file", *folder, "moved"), absl::OkStatus());
  EXPECT_THAT(*folder->Names(), ElementsAre("moved"));
  EXPECT_TRUE(
      OpenRegularFileIn(folder->fd(), folder->path(), "moved", UserOf(kUser))
          .ok());
  EXPECT_EQ(held->Exchange("folder", "folder"), absl::OkStatus());
  EXPECT_EQ(held->CheckStillThere(), absl::OkStatus());
  EXPECT_EQ(held->Remove("folder"), absl::OkStatus());
  EXPECT_FALSE(held->Has("folder"));
  EXPECT_EQ(held->Sync(), absl::OkStatus());
}

TEST_F(BrokeredUserTest, AnothersDirectoryIsNot) {
  folder_.MakeDirectory("others");
  ASSERT_EQ(chmod(folder_.PathOf("others").c_str(), 0700), 0);
  folder_.Write("others/file", "secret");
  const FileUser user = UserOf(kUser);
  EXPECT_TRUE(absl::IsPermissionDenied(
      HeldDirectory::Open(folder_.PathOf("others"), user).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(
      HeldDirectory::Make(folder_.PathOf("new"), user).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(
      OpenJobFile(folder_.PathOf("others/file"), {user, {"/"}}).status()));
  // Links are followed as he may.
  ASSERT_EQ(symlink("../others/file", (his_ + "/link").c_str()), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(
      OpenJobFile(his_ + "/link", {user, {"/"}}).status()));
  EXPECT_TRUE(OpenJobFile(folder_.PathOf("others/file"), FileAccess()).ok());
}

TEST_F(BrokeredUserTest, AFolderIsListedAsTheUserSeesIt) {
  folder_.MakeDirectory("others");
  ASSERT_EQ(chmod(folder_.PathOf("others").c_str(), 0700), 0);
  folder_.Write("others/picture.png", "x");
  folder_.Write("his/own.png", "x");
  ASSERT_EQ(symlink("../others/picture.png", (his_ + "/link.png").c_str()), 0);
  ASSERT_EQ(symlink("own.png", (his_ + "/again.png").c_str()), 0);
  const FileUser user = UserOf(kUser);
  const auto entries =
      ReadFolderEntries(*OpenDirectory(his_, user), his_, user);
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_THAT(entries->files, ElementsAre("again.png", "own.png"));
  EXPECT_THAT(entries->others, ElementsAre("link.png"));
}

TEST_F(BrokeredUserTest, WhatHydradKeepsItWritesItself) {
  SetPrivatePlaces({folder_.PathOf("state")});
  EXPECT_TRUE(WriterOf(folder_.PathOf("state/outputs/j1"), kUser).is_own());
  EXPECT_FALSE(WriterOf(his_, kUser).is_own());
  EXPECT_TRUE(WriterOf(his_, std::nullopt).is_own());
  EXPECT_TRUE(UserOf(geteuid()).is_own());
  EXPECT_TRUE(UserOf(0).is_own());
  // His links into hydrad's folders lead nowhere.
  folder_.MakeDirectory("state");
  folder_.MakeDirectory("state/outputs");
  ASSERT_EQ(symlink(folder_.PathOf("state").c_str(), (his_ + "/link").c_str()),
            0);
  for (const char* path : {"/link", "/link/outputs", "/link/outputs/j1"}) {
    EXPECT_FALSE(WriterOf(his_ + path, kUser).is_own()) << path;
  }
  SetPrivatePlaces({});
}

TEST_F(BrokeredUserTest, AUserWhoIsNoneAndANameThatIsTooLongAreSaidSo) {
  const absl::Status status = OpenDirectory(his_, UserOf(kNoUser)).status();
  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("its user is none of this machine"));
  EXPECT_FALSE(
      UserOf(kUser).Open("/" + std::string(5000, 'a'), O_RDONLY).is_open());
  EXPECT_EQ(errno, ENAMETOOLONG);
}

TEST_F(BrokeredUserTest, WithoutAnAnswerItIsTriedAgainLater) {
  files_->Kill();
  EXPECT_TRUE(absl::IsUnavailable(OpenDirectory(his_, UserOf(kUser)).status()));
  // No file is lost for it.
  const UniqueFd folder = *OpenDirectory(his_);
  for (const absl::Status& status :
       {OpenRegularFileIn(folder, his_, "file", UserOf(kUser)).status(),
        OpenJobFile(his_ + "/file", {UserOf(kUser), {"/"}}).status()}) {
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_TRUE(IsWithoutFileBroker(status));
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("hydra-files, or the file system, does not answer"));
  }
}

}  // namespace
}  // namespace hydra
