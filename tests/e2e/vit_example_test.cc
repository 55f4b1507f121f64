// examples/vit_digits, shortened: every job of its sweep completes, cut where
// the devices are too small for its model, and is bit for bit the same in one
// piece. After a hundred steps it reads digits.

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "tests/e2e/example_sweep.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

TEST(VitExampleTest, EveryJobOfTheSweepIsAsInOnePiece) {
  const ExampleSweep sweep("vit_digits", /*max_steps=*/300);
  const auto pairs =
      sweep.TrainAlsoInOnePiece({/*jobs=*/8, /*steps=*/3, "16MiB",
                                 /*whole_memory=*/"256MiB",
                                 // Of either split.
                                 /*evaluations=*/2});
  ASSERT_EQ(pairs.size(), 8);
  for (const auto& [job, whole] : pairs) {
    SCOPED_TRACE(job.status().name());
    const bool is_deep = absl::EndsWith(job.spec().model().path(), "vit-4");
    EXPECT_EQ(job.partition().cut_points_size(), is_deep ? 1 : 0);
    EXPECT_EQ(job.status().validation_accuracy(),
              whole.status().validation_accuracy());
    EXPECT_TRUE(job.status().has_test_accuracy());
    EXPECT_TRUE(job.status().counts_examples());
    EXPECT_FALSE(job.status().has_validation_perplexity());
  }
}

TEST(VitExampleTest, LearnsToReadDigits) {
  const ExampleSweep sweep("vit_digits", /*max_steps=*/300);
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
