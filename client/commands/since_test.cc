#include "client/commands/since.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

class SinceTest : public ::testing::Test {
 protected:
  absl::StatusOr<absl::Time> Parse(absl::string_view text) const {
    return ParseSince(text, now_, zone_);
  }
  absl::Time At(int day, int hour, int minute, int second) const {
    return absl::FromCivil(
        absl::CivilSecond(2026, 11, day, hour, minute, second), zone_);
  }

  // An hour east of Greenwich.
  const absl::TimeZone zone_ = absl::FixedTimeZone(3600);
  const absl::Time now_ = At(30, 12, 0, 0);
};

TEST_F(SinceTest, SoLongAgo) {
  EXPECT_EQ(*Parse("12h"), At(30, 0, 0, 0));
  EXPECT_EQ(*Parse("1h30m"), At(30, 10, 30, 0));
  EXPECT_EQ(*Parse("2d"), At(28, 12, 0, 0));
  EXPECT_EQ(*Parse("0"), now_);
}

TEST_F(SinceTest, ADayOrAMoment) {
  EXPECT_EQ(*Parse("2026-11-29"), At(29, 0, 0, 0));
  EXPECT_EQ(*Parse("2026-11-29 18:04"), At(29, 18, 4, 0));
  EXPECT_EQ(*Parse("2026-11-29 18:04:05"), At(29, 18, 4, 5));
  EXPECT_EQ(*Parse("2026-11-29T17:04:05Z"), At(29, 18, 4, 5));
}

TEST_F(SinceTest, WhatIsNoTime) {
  for (const char* text : {"", "d", "yesterday", "-1h", "-3d", "12", "inf",
                           "99999999d", "2026-13-01", "infinite-future"}) {
    const absl::StatusOr<absl::Time> time = Parse(text);
    EXPECT_EQ(time.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(time.status().message()),
                HasSubstr("expected a time"));
  }
}

}  // namespace
}  // namespace hydra
