#include "worker/data/token_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_writer.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string TestPath() {
  return absl::StrCat(
      ::testing::TempDir(), "/",
      ::testing::UnitTest::GetInstance()->current_test_info()->name());
}

// Writes the ids 7, 70000, 0, 3 in two pieces.
PosixFile WriteTokens(const std::string& path) {
  PosixFile file = *PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
  TokenWriter writer(&file);
  EXPECT_TRUE(writer.Begin().ok());
  EXPECT_TRUE(writer.Append({7, 70000}).ok());
  EXPECT_TRUE(writer.Append({}).ok());
  EXPECT_TRUE(writer.Append({0, 3}).ok());
  EXPECT_TRUE(writer.Finish().ok());
  return file;
}

TEST(TokenFileTest, HasTheIdsThatWereWritten) {
  const std::string path = TestPath();
  WriteTokens(path);
  const auto file = TokenFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(file->tokens(), ElementsAre(7, 70000, 0, 3));
  EXPECT_EQ(file->max_token_id(), 70000);
  EXPECT_TRUE(file->CheckContent().ok());
  // sha256 of 07000000 70110100 00000000 03000000.
  EXPECT_EQ(file->content_hash(),
            "52ec289b053a6aa9c519e17ebb201a05e00668550806f83e3fa63ab9f3d0775d");
}

TEST(TokenFileTest, TokensStayWhereTheyAreWhenTheFileMoves) {
  const std::string path = TestPath();
  WriteTokens(path);
  auto first = TokenFile::Open(path);
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Span<const uint32_t> tokens = first->tokens();
  const TokenFile second = *std::move(first);
  EXPECT_EQ(second.tokens().data(), tokens.data());
  EXPECT_THAT(tokens, ElementsAre(7, 70000, 0, 3));
}

TEST(TokenFileTest, RefusesAFileThatWasCutOff) {
  const std::string path = TestPath();
  WriteTokens(path);
  ASSERT_EQ(truncate(path.c_str(), 64 + 15), 0);
  const auto file = TokenFile::Open(path);
  EXPECT_EQ(file.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(file.status().message(), HasSubstr(path));
  EXPECT_THAT(file.status().message(),
              HasSubstr("79 bytes, its header says 80 (4 tokens)"));
}

TEST(TokenFileTest, RefusesAFileThatWasNeverFinished) {
  const std::string path = TestPath();
  PosixFile file = *PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
  TokenWriter writer(&file);
  ASSERT_TRUE(writer.Begin().ok());
  ASSERT_TRUE(writer.Append({1, 2, 3}).ok());
  EXPECT_EQ(TokenFile::Open(path).status().code(), absl::StatusCode::kDataLoss);
}

TEST(TokenFileTest, AChangedIdFailsTheContentCheckAlone) {
  const std::string path = TestPath();
  PosixFile writer = WriteTokens(path);
  ASSERT_TRUE(writer.WriteAt("!", 64 + 4).ok());
  const auto file = TokenFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->CheckContent().code(), absl::StatusCode::kDataLoss);
}

TEST(TokenFileTest, AMissingFileIsNotFound) {
  EXPECT_EQ(TokenFile::Open(TestPath()).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hydra
