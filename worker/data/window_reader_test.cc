#include "worker/data/window_reader.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<uint32_t> kTokens = {10, 11, 12, 13, 14, 15, 16, 17};

TEST(ReadWindowsTest, ARowIsAWindowAndTheTokenAfterIt) {
  std::vector<int64_t> rows(2 * 4);
  const std::vector<int64_t> windows = {1, 0};
  ASSERT_TRUE(ReadWindows(kTokens, 3, windows, absl::MakeSpan(rows)).ok());
  EXPECT_THAT(rows, ElementsAre(13, 14, 15, 16, 10, 11, 12, 13));
}

TEST(ReadWindowsTest, TheLastWindowMayEndWithTheLastToken) {
  std::vector<int64_t> rows(8);
  const std::vector<int64_t> windows = {0};
  ASSERT_TRUE(ReadWindows(kTokens, 7, windows, absl::MakeSpan(rows)).ok());
  EXPECT_EQ(rows.back(), 17);
}

TEST(ReadWindowsTest, KeepsIdsAboveTwoToThe31) {
  const std::vector<uint32_t> tokens = {0xffffffff, 1};
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
        ReadWindows(kTokens, 3, windows, absl::MakeSpan(rows));
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
  EXPECT_EQ(ReadWindows(kTokens, 3, windows, absl::MakeSpan(rows)).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadWindows(kTokens, 0, windows, absl::MakeSpan(rows)).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hydra
