#include "common/checkpoint/plain_file.h"

#include "common/checkpoint/testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using checkpoint::v1::FileSum;
using safetensors::OpenRegularFile;

class PlainFileTest : public testing::Test {
 protected:
  absl::Status Check(const FileSum& wanted) {
    const std::string path = folder_.PathOf(wanted.name());
    return CheckPlainFile(*OpenRegularFile(path), path, wanted);
  }

  ScratchFolder folder_;
};

TEST_F(PlainFileTest, WrittenAndCopiedFilesHaveTheirBytesAndSum) {
  const std::string text(700'001, 'x');
  const auto written = WritePlainFile(folder_.path(), "a", text);
  ASSERT_TRUE(written.ok()) << written.status();
  const auto copied = CopyPlainFile(folder_.path(), "b", folder_.PathOf("a"));
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(ReadBytes(folder_.PathOf("b")), text);
  EXPECT_EQ(copied->bytes(), 700'001);
  EXPECT_EQ(written->tensors().at(""), copied->tensors().at(""));
  EXPECT_TRUE(Check(*written).ok());
  EXPECT_TRUE(Check(*copied).ok());
}

TEST_F(PlainFileTest, ChangedAndShortenedFilesAreFound) {
  const auto written = WritePlainFile(folder_.path(), "a", "abc");
  ASSERT_TRUE(written.ok());
  WriteBytes(folder_.PathOf("a"), "abd");
  EXPECT_TRUE(absl::IsDataLoss(Check(*written)));
  WriteBytes(folder_.PathOf("a"), "ab");
  EXPECT_TRUE(absl::IsDataLoss(Check(*written)));
}

TEST_F(PlainFileTest, AFileThatExistsIsNotReplaced) {
  WriteBytes(folder_.PathOf("a"), "older");
  EXPECT_TRUE(absl::IsAlreadyExists(
      WritePlainFile(folder_.path(), "a", "newer").status()));
  EXPECT_EQ(ReadBytes(folder_.PathOf("a")), "older");
}

TEST_F(PlainFileTest, AMissingSourceCreatesNothing) {
  EXPECT_TRUE(absl::IsNotFound(
      CopyPlainFile(folder_.path(), "b", folder_.PathOf("none")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      CopyPlainFile(folder_.path(), "b", folder_.path()).status()));
  EXPECT_THAT(folder_.Names(), testing::IsEmpty());
}

TEST_F(PlainFileTest, FilesAboveTheLimitAreNotRead) {
  const std::string path = folder_.PathOf("a");
  WriteBytes(path, "abcd");
  EXPECT_EQ(*ReadPlainFile(*OpenRegularFile(path), path, 4), "abcd");
  EXPECT_TRUE(absl::IsInvalidArgument(
      ReadPlainFile(*OpenRegularFile(path), path, 3).status()));
}

}  // namespace
}  // namespace hydra
