#include "scheduler/service/stream_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace hydra {
namespace {

using ::testing::HasSubstr;

TEST(StreamTableTest, BoundsEachUserAndAllOfThem) {
  StreamTable table("watch streams", {3, 2});
  std::vector<StreamTable::Slot> slots;
  slots.push_back(*table.Open({1}, nullptr));
  slots.push_back(*table.Open({1}, nullptr));
  const absl::Status third = table.Open({1}, nullptr).status();
  EXPECT_EQ(third.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(third.message()),
              HasSubstr("this user has 2 watch streams open"));
  slots.push_back(*table.Open({2}, nullptr));
  EXPECT_THAT(std::string(table.Open({3}, nullptr).status().message()),
              HasSubstr("all users together have 3"));
}

TEST(StreamTableTest, AClosedStreamMakesRoom) {
  StreamTable table("watch streams", {1, 1});
  std::optional<StreamTable::Slot> slot(*table.Open({1}, nullptr));
  EXPECT_FALSE(table.Open({1}, nullptr).ok());
  slot.reset();
  EXPECT_TRUE(table.Open({1}, nullptr).ok());
}

TEST(StreamTableTest, StoppingWakesEachStreamOnceAndOpensNoMore) {
  StreamTable table("watch streams", {2, 2});
  int woken = 0;
  const auto slot = table.Open({1}, [&] { ++woken; });
  table.Stop();
  table.Stop();
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(table.stopped());
  EXPECT_EQ(table.Open({1}, nullptr).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace hydra
