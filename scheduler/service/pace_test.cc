#include "scheduler/service/pace.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(PaceTest, PiecesOfAllCallsTogetherBeginOneInEachInterval) {
  Pace pace(absl::Milliseconds(20));
  const absl::Time now = absl::FromUnixSeconds(1000);
  EXPECT_EQ(pace.Reserve(now), absl::Milliseconds(20));
  EXPECT_EQ(pace.Reserve(now), absl::Milliseconds(40));
  // The first caller comes again when its piece is done.
  EXPECT_EQ(pace.Reserve(now + absl::Milliseconds(25)), absl::Milliseconds(35));
}

TEST(PaceTest, WhatNobodyUsedIsNotMadeUpFor) {
  Pace pace(absl::Milliseconds(20));
  const absl::Time now = absl::FromUnixSeconds(1000);
  (void)pace.Reserve(now);
  EXPECT_EQ(pace.Reserve(now + absl::Hours(1)), absl::Milliseconds(20));
}

}  // namespace
}  // namespace hydra
