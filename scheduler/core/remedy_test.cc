#include "scheduler/core/remedy.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

TEST(RemedyTest, WhatIsWrongWithTheInputStaysWrong) {
  for (absl::StatusCode code :
       {absl::StatusCode::kInvalidArgument, absl::StatusCode::kNotFound,
        absl::StatusCode::kPermissionDenied, absl::StatusCode::kDataLoss,
        absl::StatusCode::kFailedPrecondition, absl::StatusCode::kOutOfRange,
        absl::StatusCode::kUnimplemented}) {
    EXPECT_EQ(RemedyOf(wv1::TASK_KIND_PREPARE, code), Remedy::kNone);
    EXPECT_EQ(RemedyOf(wv1::TASK_KIND_TURN, code), Remedy::kNone);
  }
}

TEST(RemedyTest, WhatMayPassIsTriedAgain) {
  for (absl::StatusCode code :
       {absl::StatusCode::kInternal, absl::StatusCode::kUnavailable,
        absl::StatusCode::kUnknown}) {
    EXPECT_EQ(RemedyOf(wv1::TASK_KIND_INIT, code), Remedy::kAgain);
    EXPECT_EQ(RemedyOf(wv1::TASK_KIND_BACKWARD, code), Remedy::kAgain);
  }
}

TEST(RemedyTest, OnlyADeviceThatIsTooSmallForAShardIsWorthAnotherPilot) {
  const absl::StatusCode full = absl::StatusCode::kResourceExhausted;
  EXPECT_EQ(RemedyOf(wv1::TASK_KIND_TURN, full), Remedy::kCutAnew);
  EXPECT_EQ(RemedyOf(wv1::TASK_KIND_EVALUATE, full), Remedy::kCutAnew);
  EXPECT_EQ(RemedyOf(wv1::TASK_KIND_PILOT, full), Remedy::kNone);
  EXPECT_EQ(RemedyOf(wv1::TASK_KIND_PREPARE, full), Remedy::kAgain);
}

TEST(RemedyTest, PausesDouble) {
  EXPECT_EQ(PauseAfter(1), absl::Seconds(1));
  EXPECT_EQ(PauseAfter(5), absl::Seconds(16));
  EXPECT_LT(PauseAfter(1000), absl::Hours(1));
}

TEST(RemedyTest, ReservesDoubleUpToHalfOfTheDevice) {
  std::vector<int64_t> reserves;
  for (int64_t next = NextReserve(0, 1600); next > 0;
       next = NextReserve(next, 1600)) {
    reserves.push_back(next);
  }
  EXPECT_EQ(reserves, (std::vector<int64_t>{100, 200, 400, 800}));
}

}  // namespace
}  // namespace hydra
