#include "worker/data/posix_file.h"

#include <fcntl.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(PosixFileTest, ReadsBackWhatWasWritten) {
  const std::string path = ::testing::TempDir() + "/posix_file_round_trip";
  {
    auto file = PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE(file->Write("hello world").ok());
    ASSERT_TRUE(file->WriteAt("W", 6).ok());
    ASSERT_TRUE(file->Write("!").ok());
    ASSERT_TRUE(file->Sync().ok());
    EXPECT_EQ(*file->SizeBytes(), 12);
  }
  EXPECT_EQ(*ReadWholeFile(path), "hello World!");
}

TEST(PosixFileTest, ReadStopsAtTheEndOfTheFile) {
  const std::string path = ::testing::TempDir() + "/posix_file_short";
  auto file = PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Write("abc").ok());
  auto reader = PosixFile::Open(path, O_RDONLY);
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::string buffer(8, '?');
  EXPECT_EQ(*reader->Read(absl::MakeSpan(buffer)), 3);
  EXPECT_EQ(*reader->Read(absl::MakeSpan(buffer)), 0);
}

TEST(PosixFileTest, ReadsAFileLongerThanOnePiece) {
  const std::string path = ::testing::TempDir() + "/posix_file_long";
  std::string content;
  while (content.size() < (3 << 20)) content += "all work and no play ";
  auto file = PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Write(content).ok());
  EXPECT_TRUE(*ReadWholeFile(path) == content);
}

TEST(PosixFileTest, SpaceIsTakenBeforeItIsWritten) {
  const std::string path = ::testing::TempDir() + "/posix_file_reserved";
  auto file = PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Write("ab").ok());
  const absl::Status reserved = file->Reserve(1 << 16);
  EXPECT_TRUE(reserved.ok()) << reserved;
  EXPECT_EQ(*file->SizeBytes(), 2);
  ASSERT_TRUE(file->Write("c").ok());
  EXPECT_EQ(*ReadWholeFile(path), "abc");
}

TEST(PosixFileTest, ADiskThatIsTooSmallIsToldWithBothNumbers) {
  const std::string path = ::testing::TempDir() + "/posix_file_too_large";
  auto file = PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
  ASSERT_TRUE(file.ok()) << file.status();
  // No disk has as much.
  const absl::Status reserved = file->Reserve(int64_t{1} << 60);
  EXPECT_EQ(reserved.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(reserved.message(),
              AllOf(HasSubstr(path), HasSubstr("needs 1152921504606846976 B"),
                    HasSubstr("B free")));
  EXPECT_EQ(*file->SizeBytes(), 0);
}

TEST(PosixFileTest, AMissingFileIsNotFoundAndNamed) {
  const auto content = ReadWholeFile("/no/such/file");
  EXPECT_EQ(content.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(content.status().message(), HasSubstr("/no/such/file"));
}

}  // namespace
}  // namespace hydra
