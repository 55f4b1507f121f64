// examples/bert_articles, shortened: every job of its sweep completes, and is
// bit for bit the same in one piece and cut. After two hundred steps it tells
// most sentences' articles.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/e2e/example_sweep.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

TEST(BertExampleTest, EveryJobOfTheSweepIsAsInOnePiece) {
  const ExampleSweep sweep("bert_articles", /*max_steps=*/300);
  const auto pairs = sweep.TrainAlsoInOnePiece(
      {/*jobs=*/4, /*steps=*/3, "16MiB", /*whole_memory=*/"256MiB",
       // Of either split.
       /*evaluations=*/2, "partition: {cut_points: [1, 3]}\n"});
  ASSERT_EQ(pairs.size(), 4);
  for (const auto& [job, whole] : pairs) {
    SCOPED_TRACE(job.status().name());
    EXPECT_EQ(job.partition().cut_points_size(), 2);
    EXPECT_TRUE(job.status().has_test_accuracy());
    EXPECT_FALSE(job.status().has_validation_perplexity());
    for (const v1::EvaluationMetrics& evaluation : job.evaluations()) {
      EXPECT_EQ(evaluation.tokens(), 200);
    }
  }
}

// On README.md's devices, with the partitions that pilots find.
TEST(BertExampleTest, LearnsWhichArticleASentenceIsOf) {
  const ExampleSweep sweep("bert_articles", /*max_steps=*/300);
  double best = 0;
  for (const v1::JobDetail& job : sweep.Train(/*steps=*/200, "16MiB", "")) {
    ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    best = std::max(best, job.status().test_accuracy());
  }
  // The largest class alone were 0.27.
  EXPECT_GT(best, 0.5);
}

}  // namespace
}  // namespace hydra
