#include "worker/data/window_reader.h"

#include <fcntl.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/data/batch_plan.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/data/marked_writer.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_file.h"
#include "worker/data/token_writer.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Not trained on.
constexpr uint32_t Not(uint32_t id) { return id | kUntrainedMark; }

PosixFile NewFile() {
  return *PosixFile::Open(
      absl::StrCat(
          ::testing::TempDir(), "/",
          ::testing::UnitTest::GetInstance()->current_test_info()->name()),
      O_RDWR | O_CREAT | O_TRUNC);
}

TokenFile FileOf(const std::vector<uint32_t>& ids) {
  PosixFile file = NewFile();
  TokenWriter writer(&file);
  EXPECT_TRUE(writer.Begin().ok());
  EXPECT_TRUE(writer.Append(ids).ok());
  EXPECT_TRUE(writer.Finish().ok());
  return *TokenFile::Open(file.path());
}

TokenFile MarkedFileOf(const std::vector<std::vector<uint32_t>>& rows,
                       bool has_rows) {
  PosixFile file = NewFile();
  MarkedWriter writer(&file, has_rows);
  EXPECT_TRUE(writer.Begin().ok());
  for (const std::vector<uint32_t>& row : rows) {
    EXPECT_TRUE(writer.Append(row).ok());
  }
  EXPECT_TRUE(writer.Finish({}).ok());
  return *TokenFile::Open(file.path());
}

TokenFile EightTokens() { return FileOf({10, 11, 12, 13, 14, 15, 16, 17}); }

TokenWindows Read(const TokenFile& file, int64_t context_length,
                  const std::vector<int64_t>& windows) {
  auto read = ReadWindows(file, context_length, windows);
  EXPECT_TRUE(read.ok()) << read.status();
  return read.ok() ? *read : TokenWindows();
}

TEST(ReadWindowsTest, AWindowIsItsTokensAndTheOneAfterIt) {
  const TokenWindows read = Read(EightTokens(), 3, {1, 0});
  EXPECT_THAT(read.tokens, ElementsAre(13, 14, 15, 16, 10, 11, 12, 13));
  EXPECT_THAT(read.targets, IsEmpty());
  EXPECT_EQ(read.untrained_targets, 0);
}

TEST(ReadWindowsTest, TheLastWindowMayEndWithTheLastToken) {
  EXPECT_EQ(Read(EightTokens(), 7, {0}).tokens.back(), 17);
}

TEST(ReadWindowsTest, KeepsIdsAboveTwoToThe31) {
  EXPECT_THAT(Read(FileOf({0xffffffff, 1}), 1, {0}).tokens,
              ElementsAre(0xffffffffLL, 1));
}

TEST(ReadWindowsTest, RefusesAWindowThatTheSplitLacks) {
  for (const int64_t window : {-1, 2}) {
    const auto read = ReadWindows(EightTokens(), 3, {0, window});
    EXPECT_EQ(read.status().code(), absl::StatusCode::kOutOfRange);
    EXPECT_THAT(
        read.status().message(),
        HasSubstr("among the 2 that 8 tokens have at context length 3"));
  }
}

TEST(ReadWindowsTest, RefusesAContextOfNothing) {
  EXPECT_EQ(ReadWindows(EightTokens(), 0, {0}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ReadWindowsTest, ARowIsAWindowAndIsPadded) {
  const TokenFile file =
      MarkedFileOf({{Not(5), Not(6), 7}, {Not(8), 9, Not(10), 11}}, true);
  const TokenWindows read = Read(file, 4, {1, 0});
  EXPECT_THAT(read.tokens, ElementsAre(8, 9, 10, 11, kPadding,  //
                                       5, 6, 7, kPadding, kPadding));
  EXPECT_THAT(read.targets, ElementsAre(9, kNoTarget, 11, kNoTarget,  //
                                        kNoTarget, 7, kNoTarget, kNoTarget));
  EXPECT_EQ(read.untrained_targets, 5);
  EXPECT_EQ(ReadWindows(file, 4, {2}).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST(ReadWindowsTest, RowsThatFillTheirWindowsHaveNoTargetsOfTheirOwn) {
  const TokenWindows read = Read(MarkedFileOf({{5, 6, 7}}, true), 2, {0});
  EXPECT_THAT(read.tokens, ElementsAre(5, 6, 7));
  EXPECT_THAT(read.targets, IsEmpty());
}

TEST(ReadWindowsTest, PackedRowsKeepTheirMarksInWindowsThatCutThem) {
  const TokenFile file = MarkedFileOf({{Not(5), 6}, {Not(7), 8, 9}}, false);
  const TokenWindows read = Read(file, 2, {0, 1});
  EXPECT_THAT(read.tokens, ElementsAre(5, 6, 7, 7, 8, 9));
  EXPECT_THAT(read.targets, ElementsAre(6, kNoTarget, 8, 9));
  EXPECT_EQ(read.untrained_targets, 1);
}

TEST(ContextOfTest, IsThatOfTheLongestRowOfTheBatch) {
  const TokenFile file =
      MarkedFileOf({std::vector<uint32_t>(5, 1), std::vector<uint32_t>(12, 1),
                    std::vector<uint32_t>(30, 1)},
                   true);
  const auto context = [&](const std::vector<int64_t>& windows) {
    return ContextOf(file, /*context_length=*/30, windows).value();
  };
  EXPECT_EQ(context({0}), 8);
  EXPECT_EQ(context({0, 1, 0}), 16);
  EXPECT_EQ(context({2, 1}), 30);
  EXPECT_EQ(ContextOf(file, 30, {3}).status().code(),
            absl::StatusCode::kOutOfRange);
  // Windows of one long row are all alike.
  EXPECT_EQ(ContextOf(EightTokens(), 3, {0}).value(), 3);
}

TEST(ReadWindowsTest, RefusesARowLongerThanItsWindow) {
  const auto read = ReadWindows(MarkedFileOf({{1, 2, 3, 4}}, true), 2, {0});
  EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(read.status().message(), HasSubstr("4 tokens in row 0"));
}

}  // namespace
}  // namespace hydra
