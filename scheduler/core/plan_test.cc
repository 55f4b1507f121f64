#include "scheduler/core/plan.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

Job JobWithTokens(int64_t train, int64_t validation, int64_t test) {
  Job job;
  job.shape.micro_batch_size = 2;
  job.shape.micro_batches = 1;
  job.shape.eval_batch_size = 2;
  job.shape.context_length = 32;
  job.submitted.spec.mutable_train()->set_max_steps(5);
  const auto add = [&job](worker::v1::Split split, int64_t tokens) {
    worker::v1::PreparedSplit prepared;
    prepared.set_split(split);
    prepared.set_token_count(tokens);
    if (tokens > 0) job.splits.push_back(prepared);
  };
  add(worker::v1::SPLIT_TRAIN, train);
  add(worker::v1::SPLIT_VALIDATION, validation);
  add(worker::v1::SPLIT_TEST, test);
  return job;
}

TEST(PlanOfTest, CountsStepsAndEvaluations) {
  const auto plan = PlanOf(JobWithTokens(1000, 33, 97));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->total_steps, 5);
  EXPECT_EQ(plan->validation_batches, 1);
  EXPECT_EQ(plan->test_batches, 2);
}

TEST(PlanOfTest, ASplitThatIsNotNamedIsNotEvaluated) {
  const auto plan = PlanOf(JobWithTokens(1000, 0, 0));
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->validation_batches, 0);
}

TEST(PlanOfTest, EverySplitThatIsTooShortIsRefusedWithTheNumbers) {
  EXPECT_THAT(PlanOf(JobWithTokens(64, 33, 33)).status().message(),
              HasSubstr("training split has 64 tokens"));
  const absl::Status validation = PlanOf(JobWithTokens(65, 11, 33)).status();
  EXPECT_EQ(validation.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(validation.message(),
            "the validation split has 11 tokens; one sequence of 32 tokens "
            "needs 33");
  EXPECT_THAT(PlanOf(JobWithTokens(65, 33, 32)).status().message(),
              HasSubstr("the test split has 32 tokens"));
}

TEST(PlanOfTest, WhereRowsAreSequencesTheyAreCounted) {
  Job job = JobWithTokens(1000, 10, 0);
  hydra::v1::TrainSpec& train = *job.submitted.spec.mutable_train();
  train.clear_max_steps();
  train.set_num_train_epochs(3);
  job.splits[0].set_row_count(9);
  job.splits[1].set_row_count(3);
  const auto plan = PlanOf(job);
  ASSERT_TRUE(plan.ok()) << plan.status();
  // Four whole steps of two in an epoch.
  EXPECT_EQ(plan->total_steps, 12);
  EXPECT_EQ(plan->validation_batches, 2);
  EXPECT_EQ(plan->validation_sequences, 3);
  job.splits[0].set_row_count(1);
  EXPECT_THAT(PlanOf(job).status().message(),
              HasSubstr("1 rows that can be trained on; one step takes 2"));
}

}  // namespace
}  // namespace hydra
