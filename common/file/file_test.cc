#include "common/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

absl::StatusCode OpenBelow(const ScratchDirectory& directory,
                           const std::string& name,
                           const std::vector<std::string>& roots) {
  const absl::StatusOr<UniqueFd> opened = OpenDirectory(directory.path());
  EXPECT_TRUE(opened.ok()) << opened.status();
  return OpenRegularFileBelow(*opened, directory.path(), name,
                              {FileUser(), roots})
      .status()
      .code();
}

TEST(FileErrorTest, NoRoomIsResourceExhausted) {
  for (int error : {ENOSPC, EDQUOT, EFBIG}) {
    EXPECT_EQ(FileError(error, "x").code(),
              absl::StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(FileError(ENOENT, "x").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FileError(EACCES, "x").code(), absl::StatusCode::kPermissionDenied);
}

TEST(FileErrorTest, AFailingDiskIsWorthAnotherTry) {
  for (int error : {EIO, ESTALE}) {
    EXPECT_EQ(FileError(error, "x").code(), absl::StatusCode::kUnavailable);
    EXPECT_FALSE(IsWithoutFileBroker(FileError(error, "x")));
  }
}

TEST(FileErrorTest, WithoutHydraFilesNothingIsKnown) {
  const absl::Status status = FileError(ENOTCONN, "cannot open x");
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_TRUE(IsWithoutFileBroker(status));
}

TEST(RealRootsTest, LinksAreFollowedAndMissingOnesLeftOut) {
  ScratchDirectory directory;
  std::filesystem::create_symlink(".", directory.PathOf("link"));
  const std::string none = directory.PathOf("none");
  EXPECT_THAT(RealRoots({directory.PathOf("link"), none}),
              testing::ElementsAre(directory.path()));
  EXPECT_THAT(RealRoots({none}), testing::IsEmpty());
  EXPECT_THAT(RealRoots({}), testing::ElementsAre("/"));
}

TEST(OpenRegularFileTest, DirectoriesAndFifosAreRefusedAtOnce) {
  ScratchDirectory directory;
  const std::string fifo = directory.PathOf("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(OpenRegularFile(fifo).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenRegularFile(directory.path()).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenBelow(directory, "fifo", {directory.path()}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenRegularFile(directory.PathOf("none")).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(OpenRegularFileTest, DescriptorsDoNotReachOtherPrograms) {
  ScratchDirectory directory;
  const absl::StatusOr<UniqueFd> fd =
      OpenRegularFile(directory.Write("a", "x"));
  ASSERT_TRUE(fd.ok()) << fd.status();
  EXPECT_TRUE(fcntl(fd->get(), F_GETFD) & FD_CLOEXEC);
}

TEST(OpenRegularFileBelowTest, LinksMustEndBelowARoot) {
  ScratchDirectory inside;
  ScratchDirectory outside;
  inside.Write("file", "x");
  std::filesystem::create_symlink("file", inside.PathOf("near"));
  std::filesystem::create_symlink(outside.Write("secret", "x"),
                                  inside.PathOf("far"));

  EXPECT_EQ(OpenBelow(inside, "file", {inside.path()}), absl::StatusCode::kOk);
  EXPECT_EQ(OpenBelow(inside, "near", {inside.path()}), absl::StatusCode::kOk);
  EXPECT_EQ(OpenBelow(inside, "far", {inside.path()}),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(OpenBelow(inside, "far", {inside.path(), outside.path()}),
            absl::StatusCode::kOk);
  EXPECT_EQ(OpenBelow(inside, "far", {"/"}), absl::StatusCode::kOk);
  EXPECT_EQ(OpenBelow(inside, "file", {}), absl::StatusCode::kPermissionDenied);
}

TEST(OpenRegularFileBelowTest, APathThatOnlyBeginsLikeARootIsNotBelowIt) {
  ScratchDirectory directory;
  directory.Write("file", "x");
  const std::string prefix =
      directory.path().substr(0, directory.path().size() - 1);
  EXPECT_EQ(OpenBelow(directory, "file", {prefix}),
            absl::StatusCode::kPermissionDenied);
}

TEST(ReadExactlyTest, AShorterFileIsDataLossWithTheNumbers) {
  ScratchDirectory directory;
  const absl::StatusOr<UniqueFd> fd =
      OpenRegularFile(directory.Write("a", "0123456789"));
  ASSERT_TRUE(fd.ok()) << fd.status();
  char bytes[8] = {};
  ASSERT_TRUE(ReadExactly(*fd, "a", 2, 3, bytes).ok());
  EXPECT_STREQ(bytes, "234");
  EXPECT_EQ(
      ReadExactly(*fd, "a", 6, 8, bytes),
      absl::DataLossError("a ends at byte 10, 8 B were wanted from byte 6"));
}

TEST(ReadExactlyTest, WhatTheDiskCannotReadIsDataLoss) {
  // Reading where nothing is mapped fails with EIO.
  const absl::StatusOr<UniqueFd> fd = OpenRegularFile("/proc/self/mem");
  ASSERT_TRUE(fd.ok()) << fd.status();
  char byte;
  const absl::Status status = ReadExactly(*fd, "a", 0, 1, &byte);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

}  // namespace
}  // namespace hydra
