#include "scheduler/policy/fifo.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "scheduler/policy/testing/policy_contract.h"

namespace hydra {
namespace {

INSTANTIATE_TYPED_TEST_SUITE_P(Fifo, PolicyContract, Fifo);

TEST(FifoTest, TheOldestGoesFirstWhateverItsTime) {
  const JobView old = {JobId(9), absl::Seconds(1), absl::FromUnixSeconds(1)};
  const JobView young = {JobId(1), absl::Hours(1), absl::FromUnixSeconds(2)};
  EXPECT_TRUE(Fifo().Before(old, young));
}

TEST(FifoTest, JobsOfOneSweepGoByTheirIds) {
  const JobView first = {JobId(2), absl::Seconds(1), absl::FromUnixSeconds(1)};
  const JobView second = {JobId(7), absl::Hours(1), absl::FromUnixSeconds(1)};
  EXPECT_TRUE(Fifo().Before(first, second));
}

}  // namespace
}  // namespace hydra
