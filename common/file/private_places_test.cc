#include "common/file/private_places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "common/file/file.h"
#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PrivatePlacesTest : public ::testing::Test {
 protected:
  PrivatePlacesTest() {
    for (const char* name : {"state", "state/outputs", "user"}) {
      folder_.MakeDirectory(name);
    }
    folder_.Write("state/jobs.db", "secret");
    folder_.Write("state/outputs/model", "model");
    folder_.Write("pool.db", "secret");
    folder_.Write("user/data", "data");
    SetPrivatePlaces({folder_.PathOf("state"), folder_.PathOf("pool.db")},
                     folder_.PathOf("state/outputs"));
  }
  ~PrivatePlacesTest() override { SetPrivatePlaces({}); }

  absl::Status Open(const std::string& name) {
    return OpenJobFile(folder_.PathOf(name), FileAccess()).status();
  }
  void ExpectPrivate(const std::string& name) {
    const absl::Status status = Open(name);
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("hydrad's own"));
  }

  const ScratchDirectory folder_;
};

TEST_F(PrivatePlacesTest, WhatIsNotPrivateIsOpened) {
  EXPECT_EQ(Open("user/data"), absl::OkStatus());
  EXPECT_EQ(Open("user/none").code(), absl::StatusCode::kNotFound);
}

TEST_F(PrivatePlacesTest, NeitherAPrivateFileNorOneBelowAPrivateFolderIs) {
  ExpectPrivate("pool.db");
  ExpectPrivate("state/jobs.db");
  ExpectPrivate("state/outputs/model");
}

TEST_F(PrivatePlacesTest, LinksGainNothing) {
  fs::create_symlink(folder_.PathOf("state"), folder_.PathOf("user/folder"));
  ExpectPrivate("user/folder/jobs.db");
  fs::create_symlink(folder_.PathOf("pool.db"), folder_.PathOf("user/file"));
  ExpectPrivate("user/file");
}

TEST_F(PrivatePlacesTest, HardLinksGainNothing) {
  fs::create_hard_link(folder_.PathOf("state/jobs.db"),
                       folder_.PathOf("user/hard"));
  ExpectPrivate("user/hard");
  fs::create_hard_link(folder_.PathOf("pool.db"), folder_.PathOf("user/hard2"));
  ExpectPrivate("user/hard2");
  fs::create_hard_link(folder_.PathOf("user/data"), folder_.PathOf("user/own"));
  EXPECT_EQ(Open("user/own"), absl::OkStatus());
}

TEST_F(PrivatePlacesTest, AModelThatIsLinkedElsewhereMayBeReadThere) {
  fs::create_hard_link(folder_.PathOf("state/outputs/model"),
                       folder_.PathOf("user/model"));
  EXPECT_EQ(Open("user/model"), absl::OkStatus());
}

TEST_F(PrivatePlacesTest, AFolderIsKnownByWhatItIsAndNotByItsName) {
  fs::create_directory_symlink(folder_.PathOf("state"),
                               folder_.PathOf("known-as"));
  SetPrivatePlaces({folder_.PathOf("known-as")});
  ExpectPrivate("state/jobs.db");
}

TEST_F(PrivatePlacesTest, WhatDoesNotExistYetIsPrivateByItsPath) {
  SetPrivatePlaces({folder_.PathOf("later")});
  EXPECT_TRUE(IsPrivatePath(folder_.PathOf("later/file")));
  EXPECT_FALSE(IsPrivatePath(folder_.PathOf("later2")));
}

TEST_F(PrivatePlacesTest, AFolderIsOpenedBelowTheRootsAlone) {
  const FileAccess roots = AccessBelow({folder_.PathOf("user")});
  const absl::StatusOr<UniqueFd> user =
      OpenJobDirectory(folder_.PathOf("user"), roots);
  ASSERT_TRUE(user.ok()) << user.status();
  folder_.MakeDirectory("user/inside");
  fs::create_directory_symlink("inside", folder_.PathOf("user/link"));
  EXPECT_TRUE(OpenJobDirectory(*user, "user", "link", roots).ok());
  folder_.MakeDirectory("other");
  fs::create_directory_symlink("../other", folder_.PathOf("user/out"));
  EXPECT_TRUE(absl::IsPermissionDenied(
      OpenJobDirectory(*user, "user", "out", roots).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(
      OpenJobDirectory(folder_.path(), roots).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(
      OpenJobDirectory(folder_.PathOf("state"), FileAccess()).status()));
  EXPECT_TRUE(absl::IsNotFound(
      OpenJobDirectory(folder_.PathOf("none"), FileAccess()).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      OpenJobDirectory(folder_.PathOf("user/data"), FileAccess()).status()));
}

TEST_F(PrivatePlacesTest, TheKernelsAnswersAreNoFiles) {
  const absl::Status status =
      OpenJobFile("/proc/self/environ", FileAccess()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("answer of the kernel"));
}

}  // namespace
}  // namespace hydra
