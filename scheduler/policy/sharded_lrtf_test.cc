#include "scheduler/policy/sharded_lrtf.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

std::vector<JobId> InOrder(const Policy& policy) {
  std::vector<JobId> jobs;
  policy.ForEachInOrder([&](JobId job) {
    jobs.push_back(job);
    return true;
  });
  return jobs;
}

TEST(ShardedLrtfTest, HasNoBestJobWhenEmpty) {
  ShardedLrtf policy;
  EXPECT_EQ(policy.Best(), std::nullopt);
  EXPECT_TRUE(InOrder(policy).empty());
}

TEST(ShardedLrtfTest, PicksTheLongestRemainingTime) {
  ShardedLrtf policy;
  policy.Upsert(JobId(1), absl::Hours(1));
  policy.Upsert(JobId(2), absl::Hours(3));
  policy.Upsert(JobId(3), absl::Hours(2));
  EXPECT_EQ(policy.Best(), JobId(2));
}

TEST(ShardedLrtfTest, BreaksTiesByLowestJobId) {
  ShardedLrtf policy;
  policy.Upsert(JobId(7), absl::Hours(2));
  policy.Upsert(JobId(3), absl::Hours(2));
  policy.Upsert(JobId(5), absl::Hours(2));
  EXPECT_EQ(InOrder(policy),
            (std::vector<JobId>{JobId(3), JobId(5), JobId(7)}));
}

TEST(ShardedLrtfTest, UpsertMovesAJobBothWays) {
  ShardedLrtf policy;
  policy.Upsert(JobId(1), absl::Hours(2));
  policy.Upsert(JobId(2), absl::Hours(1));
  policy.Upsert(JobId(1), absl::Minutes(1));
  EXPECT_EQ(InOrder(policy), (std::vector<JobId>{JobId(2), JobId(1)}));
  policy.Upsert(JobId(1), absl::Hours(9));
  EXPECT_EQ(InOrder(policy), (std::vector<JobId>{JobId(1), JobId(2)}));
}

TEST(ShardedLrtfTest, RemoveTakesAJobOutAndIgnoresAnUnknownOne) {
  ShardedLrtf policy;
  policy.Upsert(JobId(1), absl::Hours(2));
  policy.Upsert(JobId(2), absl::Hours(1));
  policy.Remove(JobId(1));
  policy.Remove(JobId(1));
  policy.Remove(JobId(99));
  EXPECT_EQ(InOrder(policy), (std::vector<JobId>{JobId(2)}));
}

TEST(ShardedLrtfTest, RanksInfiniteFirstAndOverrunEstimatesLast) {
  ShardedLrtf policy;
  policy.Upsert(JobId(1), -absl::Seconds(1));
  policy.Upsert(JobId(2), absl::ZeroDuration());
  policy.Upsert(JobId(3), absl::InfiniteDuration());
  EXPECT_EQ(InOrder(policy),
            (std::vector<JobId>{JobId(3), JobId(2), JobId(1)}));
}

TEST(ShardedLrtfTest, StopsVisitingWhenToldTo) {
  ShardedLrtf policy;
  for (int i = 1; i <= 5; ++i) policy.Upsert(JobId(i), absl::Hours(i));
  std::vector<JobId> seen;
  policy.ForEachInOrder([&](JobId job) {
    seen.push_back(job);
    return job != JobId(4);
  });
  EXPECT_EQ(seen, (std::vector<JobId>{JobId(5), JobId(4)}));
}

TEST(ShardedLrtfTest, KeepsTheOrderOfANaiveModelUnderRandomOperations) {
  std::mt19937_64 random(20221);
  ShardedLrtf policy;
  std::map<JobId, absl::Duration> model;
  for (int i = 0; i < 20'000; ++i) {
    const JobId job(random() % 40);
    if (random() % 3 == 0) {
      policy.Remove(job);
      model.erase(job);
    } else {
      const absl::Duration remaining = absl::Seconds(random() % 20);
      policy.Upsert(job, remaining);
      model[job] = remaining;
    }
    std::vector<JobId> expected;
    for (const auto& [id, remaining] : model) expected.push_back(id);
    std::stable_sort(expected.begin(), expected.end(), [&](JobId a, JobId b) {
      return model.at(a) > model.at(b);
    });
    ASSERT_EQ(InOrder(policy), expected) << "after operation " << i;
  }
}

}  // namespace
}  // namespace hydra
