#include "common/status/proto_time.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(ProtoTimeTest, KeepsNanoseconds) {
  const absl::Duration duration = absl::Seconds(3) + absl::Nanoseconds(7);
  EXPECT_EQ(FromProto(ToProto(duration)), duration);
  EXPECT_EQ(FromProto(ToProto(-duration)), -duration);
  const absl::Time time = absl::FromUnixNanos(1'234'567'890'123'456'789);
  EXPECT_EQ(FromProto(ToProto(time)), time);
}

TEST(ProtoTimeTest, InfiniteBecomesTheLongestThatFits) {
  EXPECT_EQ(ToProto(absl::InfiniteDuration()).seconds(), 315'576'000'000);
}

}  // namespace
}  // namespace hydra
