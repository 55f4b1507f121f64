// examples/mlp_digits, shortened: every job of its sweep completes, and is bit
// for bit the same cut in three. After a hundred steps it reads digits.

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
constexpr char kAllowed[] = "allow_exported_chains=true";

TEST(MlpExampleTest, EveryJobOfTheSweepIsAsCutInThree) {
  const ExampleSweep sweep("mlp_digits", /*max_steps=*/300);
  const std::vector<v1::JobDetail> jobs =
      sweep.Train(kSteps, "16MiB", "", {kAllowed});
  const std::vector<v1::JobDetail> cut = sweep.Train(
      kSteps, "16MiB", "partition: {cut_points: [1, 3]}\n", {kAllowed});
  ASSERT_EQ(jobs.size(), 8);
  ASSERT_EQ(cut.size(), 8);
  for (int i = 0; i < 8; ++i) {
    const v1::JobDetail& job = jobs[i];
    SCOPED_TRACE(job.status().name());
    ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    ASSERT_EQ(cut[i].status().state(), v1::JOB_STATE_COMPLETED)
        << cut[i].status().reason();
    EXPECT_EQ(job.warnings_size(), 0) << job.warnings(0);
    EXPECT_EQ(cut[i].partition().cut_points_size(), 2);
    const Outcome outcome = OutcomeOf(job);
    EXPECT_EQ(outcome.losses.size(), kSteps);
    // Of either split.
    EXPECT_EQ(outcome.evaluations.size(), 2);
    EXPECT_EQ(Difference(outcome, OutcomeOf(cut[i])), "");
    EXPECT_TRUE(job.status().has_test_accuracy());
  }
}

TEST(MlpExampleTest, LearnsToReadDigits) {
  const ExampleSweep sweep("mlp_digits", /*max_steps=*/300);
  double best = 0;
  for (const v1::JobDetail& job :
       sweep.Train(/*steps=*/100, "16MiB", "", {kAllowed})) {
    ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    best = std::max(best, job.status().test_accuracy());
  }
  EXPECT_GT(best, 0.9);
}

}  // namespace
}  // namespace hydra
