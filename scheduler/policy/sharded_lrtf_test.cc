#include "scheduler/policy/sharded_lrtf.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "scheduler/policy/testing/policy_contract.h"

namespace hydra {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(ShardedLrtf, PolicyContract, ShardedLrtf);

JobView View(uint64_t job, absl::Duration remaining) {
  return {JobId(job), remaining, absl::UnixEpoch()};
}

TEST(ShardedLrtfTest, TheLongestRemainingTimeGoesFirst) {
  ShardedLrtf policy;
  EXPECT_TRUE(policy.Before(View(2, absl::Hours(3)), View(1, absl::Hours(2))));
}

TEST(ShardedLrtfTest, OfEqualOnesTheLowestJobIdGoesFirst) {
  ShardedLrtf policy;
  EXPECT_TRUE(policy.Before(View(3, absl::Hours(2)), View(7, absl::Hours(2))));
}

TEST(ShardedLrtfTest, InfiniteTimesGoFirstAndOverrunEstimatesLast) {
  ShardedLrtf policy;
  EXPECT_TRUE(policy.Before(View(3, absl::InfiniteDuration()),
                            View(2, absl::ZeroDuration())));
  EXPECT_TRUE(
      policy.Before(View(2, absl::ZeroDuration()), View(1, -absl::Seconds(1))));
}

TEST(ShardedLrtfTest, AStepIsLeftForMuchMoreWhereItTakesLong) {
  ShardedLrtf policy;
  JobView inside = View(1, absl::Seconds(100));
  inside.step = absl::Seconds(10);
  EXPECT_FALSE(policy.BeforeByFar(View(2, absl::Seconds(120)), inside));
  EXPECT_TRUE(policy.BeforeByFar(View(2, absl::Seconds(121)), inside));
  EXPECT_TRUE(policy.BeforeByFar(View(2, absl::Seconds(499)), inside));
  EXPECT_FALSE(policy.BeforeByFar(View(2, absl::Seconds(501)), inside))
      << "10 s do not matter to it";
}

TEST(ShardedLrtfTest, BetweenStepsTheBestMayYieldToOneThatHasHardlyLess) {
  ShardedLrtf policy;
  JobView other = View(1, absl::Seconds(100));
  other.step = absl::Seconds(10);
  EXPECT_TRUE(policy.MayYield(View(2, absl::Seconds(120)), other));
  EXPECT_FALSE(policy.MayYield(View(2, absl::Seconds(121)), other));
  EXPECT_FALSE(policy.MayYield(View(2, absl::Hours(1)), other));
  other.step = absl::ZeroDuration();
  EXPECT_TRUE(policy.MayYield(View(2, absl::Seconds(101)), other));
  EXPECT_FALSE(policy.MayYield(View(2, absl::Seconds(102)), other));
}

TEST(ShardedLrtfTest, OneWithoutAnEstimateComesFirstByFar) {
  ShardedLrtf policy;
  const JobView unknown = View(2, absl::InfiniteDuration());
  EXPECT_TRUE(policy.BeforeByFar(unknown, View(1, absl::Hours(1))));
  EXPECT_FALSE(policy.BeforeByFar(unknown, View(1, absl::InfiniteDuration())));
}

}  // namespace
}  // namespace hydra
