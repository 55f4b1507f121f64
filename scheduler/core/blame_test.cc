#include "scheduler/core/blame.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(BlameTest, ADeviceThatDiesOfOneJobAgainAndAgainIsNotToBlame) {
  EXPECT_FALSE(IsDeviceToBlame({JobId(1)}, 1));
  EXPECT_FALSE(IsDeviceToBlame({JobId(1), JobId(1)}, 2));
  // The job killed another device between.
  EXPECT_FALSE(IsDeviceToBlame({JobId(1), JobId(1)}, 3));
}

TEST(BlameTest, ADeviceThatDiesOfTwoJobsIsToBlame) {
  EXPECT_TRUE(IsDeviceToBlame({JobId(1), JobId(2)}, 1));
  EXPECT_TRUE(IsDeviceToBlame({JobId(1), JobId(2)}, 5));
}

TEST(BlameTest, ADeviceThatDiesAgainOfAJobThatGotOnElsewhereIsToBlame) {
  EXPECT_TRUE(IsDeviceToBlame({JobId(1), JobId(1)}, 1));
}

TEST(BlameTest, AQuarantineDoublesUpToAnHour) {
  EXPECT_EQ(QuarantineTime(absl::Minutes(1), 1), absl::Minutes(1));
  EXPECT_EQ(QuarantineTime(absl::Minutes(1), 3), absl::Minutes(4));
  EXPECT_EQ(QuarantineTime(absl::Minutes(1), 100), absl::Hours(1));
}

}  // namespace
}  // namespace hydra
