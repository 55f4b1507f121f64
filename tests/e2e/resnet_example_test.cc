// examples/resnet_digits, shortened: every job of its sweep completes, and is
// bit for bit the same in one piece and cut. After a hundred steps it reads
// digits.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/e2e/example_sweep.h"
#include "tests/e2e/outcome.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int kSteps = 3;

TEST(ResnetExampleTest, EveryJobOfTheSweepIsAsInOnePiece) {
  const ExampleSweep sweep("resnet_digits", /*max_steps=*/300);
  // README.md's devices.
  const std::vector<v1::JobDetail> jobs =
      sweep.Train(kSteps, "16MiB", "partition: {cut_points: [1, 3]}\n");
  const std::vector<v1::JobDetail> whole =
      sweep.Train(kSteps, "256MiB", "partition: {shards: longest}\n");
  ASSERT_EQ(jobs.size(), 4);
  ASSERT_EQ(whole.size(), 4);
  for (int i = 0; i < 4; ++i) {
    const v1::JobDetail& job = jobs[i];
    SCOPED_TRACE(job.status().name());
    ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    EXPECT_EQ(job.warnings_size(), 0) << job.warnings(0);
    EXPECT_EQ(job.partition().cut_points_size(), 2);
    EXPECT_EQ(whole[i].partition().cut_points_size(), 0);
    const Outcome outcome = OutcomeOf(job);
    EXPECT_EQ(outcome.losses.size(), kSteps);
    // Of either split.
    EXPECT_EQ(outcome.evaluations.size(), 2);
    EXPECT_EQ(Difference(outcome, OutcomeOf(whole[i])), "");
    EXPECT_TRUE(job.status().has_test_accuracy());
    EXPECT_FALSE(job.status().has_validation_perplexity());
  }
}

// On README.md's devices, with the partitions that pilots find.
TEST(ResnetExampleTest, LearnsToReadDigits) {
  const ExampleSweep sweep("resnet_digits", /*max_steps=*/300);
  double best = 0;
  for (const v1::JobDetail& job : sweep.Train(/*steps=*/100, "16MiB", "")) {
    ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    best = std::max(best, job.status().test_accuracy());
  }
  EXPECT_GT(best, 0.9);
}

}  // namespace
}  // namespace hydra
