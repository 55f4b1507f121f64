#include "worker/exec/cache_trials.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

const TaskShape kTurn{1, worker::v1::TASK_KIND_TURN, 13, 15};
const TaskShape kForward{1, worker::v1::TASK_KIND_FORWARD, 0, 4};

// How many of them do not try, before one does.
int64_t LeftOut(CacheTrials& trials, const TaskShape& shape) {
  int64_t left_out = 0;
  while (!trials.MayTry(shape)) ++left_out;
  return left_out;
}

TEST(CacheTrialsTest, EachFailureInARowLeavesOutTwiceAsMany) {
  CacheTrials trials;
  EXPECT_EQ(LeftOut(trials, kTurn), 0);
  for (int64_t expected = 1; expected <= CacheTrials::kMostLeftOut;
       expected *= 2) {
    trials.Failed(kTurn);
    EXPECT_EQ(LeftOut(trials, kTurn), expected);
    EXPECT_TRUE(trials.MayTry(kTurn)) << "until it fails again";
  }
  trials.Failed(kTurn);
  EXPECT_EQ(LeftOut(trials, kTurn), CacheTrials::kMostLeftOut);
}

TEST(CacheTrialsTest, OneThatFitsAgainBeginsAnew) {
  CacheTrials trials;
  for (int i = 0; i < 5; ++i) trials.Failed(kTurn);
  trials.Succeeded(kTurn);
  EXPECT_EQ(LeftOut(trials, kTurn), 0);
  trials.Failed(kTurn);
  EXPECT_EQ(LeftOut(trials, kTurn), 1);
}

TEST(CacheTrialsTest, OtherShapesAreNotConcerned) {
  CacheTrials trials;
  trials.Failed(kTurn);
  EXPECT_TRUE(trials.MayTry(kForward));
  trials.Succeeded(kForward);
  EXPECT_FALSE(trials.MayTry(kTurn));
}

}  // namespace
}  // namespace hydra
