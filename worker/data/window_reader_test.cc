#include "worker/data/window_reader.h"

#include <fcntl.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_file.h"
#include "worker/data/token_writer.h"

namespace hydra {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TokenFile FileOf(const std::vector<uint32_t>& ids) {
  const std::string path = absl::StrCat(
      ::testing::TempDir(), "/",
      ::testing::UnitTest::GetInstance()->current_test_info()->name());
  PosixFile file = *PosixFile::Open(path, O_RDWR | O_CREAT | O_TRUNC);
  TokenWriter writer(&file);
  EXPECT_TRUE(writer.Begin().ok());
  EXPECT_TRUE(writer.Append(ids).ok());
  EXPECT_TRUE(writer.Finish().ok());
  return *TokenFile::Open(path);
}

TokenFile EightTokens() { return FileOf({10, 11, 12, 13, 14, 15, 16, 17}); }

TEST(ReadWindowsTest, ARowIsAWindowAndTheTokenAfterIt) {
  std::vector<int64_t> rows(2 * 4);
  const std::vector<int64_t> windows = {1, 0};
  ASSERT_TRUE(
      ReadWindows(EightTokens(), 3, windows, absl::MakeSpan(rows)).ok());
  EXPECT_THAT(rows, ElementsAre(13, 14, 15, 16, 10, 11, 12, 13));
}

TEST(ReadWindowsTest, TheLastWindowMayEndWithTheLastToken) {
  std::vector<int64_t> rows(8);
  const std::vector<int64_t> windows = {0};
  ASSERT_TRUE(
      ReadWindows(EightTokens(), 7, windows, absl::MakeSpan(rows)).ok());
  EXPECT_EQ(rows.back(), 17);
}

TEST(ReadWindowsTest, KeepsIdsAboveTwoToThe31) {
  const TokenFile tokens = FileOf({0xffffffff, 1});
  std::vector<int64_t> rows(2);
  const std::vector<int64_t> windows = {0};
  ASSERT_TRUE(ReadWindows(tokens, 1, windows, absl::MakeSpan(rows)).ok());
  EXPECT_THAT(rows, ElementsAre(0xffffffffLL, 1));
}

TEST(ReadWindowsTest, RefusesAWindowThatTheSplitLacksAndWritesNothing) {
  std::vector<int64_t> rows(2 * 4, -7);
  for (const int64_t window : {-1, 2}) {
    const std::vector<int64_t> windows = {0, window};
    const absl::Status status =
        ReadWindows(EightTokens(), 3, windows, absl::MakeSpan(rows));
    EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
    EXPECT_THAT(
        status.message(),
        HasSubstr("among the 2 that 8 tokens have at context length 3"));
    EXPECT_THAT(rows, Each(-7));
  }
}

TEST(ReadWindowsTest, RefusesABufferOfAnotherSize) {
  std::vector<int64_t> rows(7);
  const std::vector<int64_t> windows = {0, 1};
  EXPECT_EQ(ReadWindows(EightTokens(), 3, windows, absl::MakeSpan(rows)).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadWindows(EightTokens(), 0, windows, absl::MakeSpan(rows)).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hydra
