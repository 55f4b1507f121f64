#include "worker/session/recent_jobs.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::UnorderedElementsAre;

TEST(RecentJobsTest, ForgetsTheJobThatRanLongestAgo) {
  RecentJobs jobs(/*capacity=*/2);
  EXPECT_FALSE(jobs.Touch(1));
  EXPECT_FALSE(jobs.Touch(2));
  EXPECT_FALSE(jobs.Touch(1));
  EXPECT_TRUE(jobs.Touch(3));
  EXPECT_THAT(jobs.ids(), UnorderedElementsAre(1, 3));
}

}  // namespace
}  // namespace hydra
