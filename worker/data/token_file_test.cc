#include "worker/data/token_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/data/marked_writer.h"
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

std::vector<uint32_t> Ids(const TokenFile& file, int64_t first, int64_t count) {
  std::vector<uint32_t> ids(count);
  const absl::Status read = file.Read(first, absl::MakeSpan(ids));
  EXPECT_TRUE(read.ok()) << read;
  return ids;
}

absl::Status CheckContent(const TokenFile& file) {
  TaskControl control;
  return file.CheckContent(control);
}

TEST(TokenFileTest, HasTheIdsThatWereWritten) {
  const std::string path = TestPath();
  WriteTokens(path);
  const auto file = TokenFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->token_count(), 4);
  EXPECT_THAT(Ids(*file, 0, 4), ElementsAre(7, 70000, 0, 3));
  EXPECT_THAT(Ids(*file, 1, 2), ElementsAre(70000, 0));
  EXPECT_EQ(file->max_token_id(), 70000);
  EXPECT_TRUE(CheckContent(*file).ok());
  // sha256 of 07000000 70110100 00000000 03000000.
  EXPECT_EQ(file->content_hash(),
            "52ec289b053a6aa9c519e17ebb201a05e00668550806f83e3fa63ab9f3d0775d");
}

TEST(TokenFileTest, FindsTheFirstIdThatIsTooLarge) {
  const std::string path = TestPath();
  WriteTokens(path);
  const auto file = TokenFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  const auto found = file->FindIdFrom(8);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->index, 1);
  EXPECT_EQ((*found)->id, 70000);
  const auto none = file->FindIdFrom(70001);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_FALSE(none->has_value());
}

TEST(TokenFileTest, BecomingShorterWhileItIsReadIsAnError) {
  const std::string path = TestPath();
  PosixFile file = *PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
  TokenWriter writer(&file);
  ASSERT_TRUE(writer.Begin().ok());
  ASSERT_TRUE(writer.Append(std::vector<uint32_t>(50000, 1)).ok());
  ASSERT_TRUE(writer.Finish().ok());
  const auto tokens = TokenFile::Open(path);
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  ASSERT_EQ(truncate(path.c_str(), TokenHeader::kBytes + 400), 0);
  std::vector<uint32_t> ids(10);
  EXPECT_TRUE(tokens->Read(90, absl::MakeSpan(ids)).ok());
  const std::vector<absl::Status> errors = {
      tokens->Read(91, absl::MakeSpan(ids)),
      tokens->Read(40000, absl::MakeSpan(ids)), CheckContent(*tokens),
      tokens->FindIdFrom(2).status()};
  for (const absl::Status& error : errors) {
    EXPECT_EQ(error.code(), absl::StatusCode::kDataLoss) << error;
    EXPECT_THAT(error.message(), HasSubstr(path));
  }
}

TEST(TokenFileTest, CheckingTheContentCanBeStopped) {
  const std::string path = TestPath();
  WriteTokens(path);
  const auto file = TokenFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  TaskControl control;
  control.Stop();
  EXPECT_EQ(file->CheckContent(control).code(), absl::StatusCode::kAborted);
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
  EXPECT_EQ(CheckContent(*file).code(), absl::StatusCode::kDataLoss);
}

TEST(TokenFileTest, AMissingFileIsNotFound) {
  EXPECT_EQ(TokenFile::Open(TestPath()).status().code(),
            absl::StatusCode::kNotFound);
}

// Rows of one, three and two ids, of which some are not trained on.
PosixFile WriteRows(const std::string& path) {
  PosixFile file = *PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
  MarkedWriter writer(&file, /*has_rows=*/true);
  EXPECT_TRUE(writer.Begin().ok());
  EXPECT_TRUE(writer.Append({7}).ok());
  EXPECT_TRUE(writer.Append({8 | kUntrainedMark, 9, 10}).ok());
  EXPECT_TRUE(writer.Append({11, 12 | kUntrainedMark}).ok());
  MarkedTokens counts;
  counts.read_rows = 5;
  EXPECT_TRUE(writer.Finish(counts).ok());
  return file;
}

TEST(TokenFileTest, HasTheRowsThatWereWritten) {
  const std::string path = TestPath();
  WriteRows(path);
  const auto file = TokenFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->has_marks());
  EXPECT_EQ(file->row_count(), 3);
  EXPECT_EQ(file->token_count(), 6);
  EXPECT_EQ(file->max_token_id(), 12);
  EXPECT_EQ(file->marked()->read_rows, 5);
  // The first ids of rows are no targets.
  EXPECT_EQ(file->marked()->trained_count, 2);
  EXPECT_EQ(file->FindRow(1)->begin, 1);
  EXPECT_EQ(file->FindRow(1)->end, 4);
  EXPECT_EQ(file->RowWith(0)->row, 0);
  EXPECT_EQ(file->RowWith(3)->row, 1);
  EXPECT_EQ(file->RowWith(4)->row, 2);
  EXPECT_EQ((*file->FindIdFrom(12))->index, 5);
  EXPECT_EQ((*file->FindIdFrom(12))->id, 12);
  EXPECT_FALSE(file->FindIdFrom(13)->has_value());
  EXPECT_TRUE(CheckContent(*file).ok());
}

TEST(TokenFileTest, NoticesADamagedIndexOfRows) {
  const std::string path = TestPath();
  PosixFile file = WriteRows(path);
  const int64_t index = TokenHeader::kMarkedBytes + 6 * 4;
  ASSERT_TRUE(file.WriteAt("\x09", index + 8).ok());
  const auto damaged = TokenFile::Open(path);
  ASSERT_TRUE(damaged.ok()) << damaged.status();
  EXPECT_EQ(CheckContent(*damaged).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(damaged->FindRow(0).status().code(), absl::StatusCode::kDataLoss);
  ASSERT_TRUE(file.Truncate(index + 8).ok());
  EXPECT_EQ(TokenFile::Open(path).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace hydra
