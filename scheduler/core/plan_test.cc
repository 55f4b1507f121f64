#include "scheduler/core/plan.h"

#include <string>

#include "common/model/model_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

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

TEST(PlanOfTest, OfHiddenTokensTheSequencesAreCounted) {
  Job job = JobWithTokens(40, 0, 0);
  ModelTable table;
  table.objective = Objective::kMaskedTokens;
  job.shape.table = table;
  job.splits[0].set_row_count(1);
  EXPECT_EQ(PlanOf(job).status().message(),
            "the training split has 1 sequences that can be trained on; one "
            "step takes 2 sequences; smaller batches need fewer, or a smaller "
            "train.context_length makes more");
}

// One token more than a context makes no row.
TEST(PlanOfTest, ASplitWithoutRowsIsNotCountedInTokens) {
  const auto refusal = [](const Job& job) {
    return std::string(PlanOf(job).status().message());
  };
  for (const Objective objective :
       {Objective::kMaskedTokens, Objective::kClass}) {
    Job job = JobWithTokens(1000, 1, 0);
    ModelTable table;
    table.objective = objective;
    job.shape.table = table;
    job.splits[0].set_row_count(9);
    EXPECT_EQ(refusal(job),
              objective == Objective::kClass
                  ? "the validation split has no rows that can be evaluated"
                  : "the validation split has no sequences that can be "
                    "evaluated");
    job.splits[0].clear_row_count();
    job.splits[0].set_token_count(3);
    EXPECT_THAT(refusal(job),
                AllOf(HasSubstr("training split has 0 "),
                      HasSubstr("one step takes 2"), Not(HasSubstr("65"))));
  }
  Job chat = JobWithTokens(1000, 1, 0);
  hydra::v1::DataSpec& data = *chat.submitted.spec.mutable_data();
  data.set_format(hydra::v1::DATA_FORMAT_CHAT);
  chat.splits[0].set_row_count(9);
  EXPECT_EQ(refusal(chat),
            "the validation split has no rows that can be evaluated");
  data.set_packing(true);
  EXPECT_EQ(refusal(chat),
            "the validation split has 1 tokens; one sequence of 32 tokens "
            "needs 33");
}

}  // namespace
}  // namespace hydra
