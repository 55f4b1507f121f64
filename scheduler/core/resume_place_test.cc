#include "scheduler/core/resume_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "common/chain/testing/tiny_shape.h"
#include "common/protocol/task_format.h"
#include "scheduler/core/records.h"
#include "scheduler/core/testing/book_job.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using ::testing::HasSubstr;
using Phase = ChainPosition::Phase;

ChainPosition InEvaluation(wv1::Split split, int64_t step) {
  ChainPosition place;
  place.phase = Phase::kEvaluate;
  place.step = step;
  place.split = split;
  return place;
}

v1::Partition CutBefore(const std::vector<int>& layers) {
  v1::Partition partition;
  partition.mutable_cut_points()->Assign(layers.begin(), layers.end());
  return partition;
}

journal::v1::CheckpointRecord CheckpointAt(const ChainPosition& place,
                                           const std::vector<int>& cuts) {
  journal::v1::CheckpointRecord record;
  *record.mutable_position() = ToRecord(place);
  record.mutable_cut_points()->Assign(cuts.begin(), cuts.end());
  record.set_task_format(kTaskFormat);
  return record;
}

TEST(ResumePlaceTest, APlaceIsTheSameInAllOfItsParts) {
  const ChainPosition place = InEvaluation(wv1::SPLIT_TEST, 4);
  EXPECT_TRUE(SamePlace(place, place));
  std::vector<ChainPosition> others(5, place);
  others[0].phase = Phase::kDone;
  others[1].step = 5;
  others[2].task = 1;
  others[3].split = wv1::SPLIT_VALIDATION;
  others[4].first_batch = 4;
  for (const ChainPosition& other : others) {
    EXPECT_FALSE(SamePlace(place, other));
  }
}

// Cut before layer 2, a step is FORWARD, TURN, BACKWARD.
TEST(ResumePlaceTest, OnlyPlacesPastTheTurnBindAJobToItsPartition) {
  Job job;
  job.shape = TinyShape({}, {});
  EXPECT_FALSE(IsAfterTurn(job, CheckpointAt(InStep(3), {})));
  EXPECT_FALSE(IsAfterTurn(job, CheckpointAt(InStep(3, 1), {2})));
  EXPECT_TRUE(IsAfterTurn(job, CheckpointAt(InStep(3, 2), {2})));
  EXPECT_FALSE(IsAfterTurn(job, CheckpointAt(InStep(3, 2), {1, 2})));
  // In three rounds, of three tasks each.
  journal::v1::CheckpointRecord in_rounds = CheckpointAt(InStep(3, 7), {2});
  in_rounds.set_rounds(3);
  EXPECT_FALSE(IsAfterTurn(job, in_rounds));
  in_rounds.mutable_position()->set_task(8);
  EXPECT_TRUE(IsAfterTurn(job, in_rounds));
  ChainPosition evaluation = InEvaluation(wv1::SPLIT_TEST, 3);
  evaluation.task = 2;
  EXPECT_FALSE(IsAfterTurn(job, CheckpointAt(evaluation, {2})));
}

TEST(ResumePlaceTest, APartitionIsTheSameWithTheSameCutsAndRounds) {
  const auto is_cut_as = [](const std::vector<int>& cuts, int rounds,
                            const journal::v1::CheckpointRecord& checkpoint) {
    Job job;
    job.partition = std::make_shared<const v1::Partition>(CutBefore(cuts));
    job.shape.rounds = rounds;
    return IsCutAs(job, checkpoint);
  };
  journal::v1::CheckpointRecord checkpoint = CheckpointAt(InStep(3, 1), {1, 2});
  EXPECT_TRUE(is_cut_as({1, 2}, 1, checkpoint))
      << "of a version without rounds";
  checkpoint.set_task_format(kTaskFormat - 1);
  EXPECT_FALSE(is_cut_as({1, 2}, 1, checkpoint))
      << "what lies at its cuts is of another version";
  checkpoint.set_task_format(kTaskFormat);
  EXPECT_FALSE(is_cut_as({1, 3}, 1, checkpoint));
  EXPECT_FALSE(is_cut_as({1}, 1, checkpoint));
  EXPECT_FALSE(is_cut_as({1, 2, 3}, 1, checkpoint));
  checkpoint.set_rounds(4);
  EXPECT_TRUE(is_cut_as({1, 2}, 4, checkpoint));
  EXPECT_FALSE(is_cut_as({1, 2}, 2, checkpoint));
}

TEST(ResumePlaceTest, AStepThatIsCutOtherwiseBeginsAgain) {
  Job job;
  job.checkpoints.Fresh().push_back(CheckpointAt(InStep(2), {}));
  job.checkpoints.Fresh().push_back(CheckpointAt(InStep(3, 1), {2}));
  job.partition = std::make_shared<const v1::Partition>(CutBefore({2}));
  EXPECT_TRUE(SamePlace(ResumePlaceOf(job), InStep(3, 1)));
  job.partition = std::make_shared<const v1::Partition>(CutBefore({1, 3}));
  EXPECT_TRUE(SamePlace(ResumePlaceOf(job), InStep(3, 0)));
}

TEST(ResumePlaceTest, BetweenStepsThePartitionMayBeAnyOther) {
  Job job;
  job.checkpoints.Fresh().push_back(
      CheckpointAt(InEvaluation(wv1::SPLIT_VALIDATION, 4), {}));
  job.partition = std::make_shared<const v1::Partition>(CutBefore({1, 3}));
  EXPECT_TRUE(
      SamePlace(ResumePlaceOf(job), InEvaluation(wv1::SPLIT_VALIDATION, 4)));
}

// As when its data has grown, and its epochs are longer.
TEST(ResumePlaceTest, AtTheTestSplitOfAShorterPlanAJobTrainsOn) {
  Job job;
  const ChainPosition test = InEvaluation(wv1::SPLIT_TEST, 4);
  job.checkpoints.Fresh().push_back(CheckpointAt(test, {}));
  job.partition = std::make_shared<const v1::Partition>(CutBefore({2}));
  job.plan.total_steps = 4;
  EXPECT_TRUE(SamePlace(ResumePlaceOf(job), test));
  job.plan.total_steps = 6;
  EXPECT_TRUE(SamePlace(ResumePlaceOf(job), InStep(4)));
}

TEST(ResumePlaceTest, AJobThatStoppedEarlyStaysAtItsTestSplit) {
  Job job;
  const ChainPosition test = InEvaluation(wv1::SPLIT_TEST, 4);
  job.checkpoints.Fresh().push_back(CheckpointAt(test, {}));
  job.partition = std::make_shared<const v1::Partition>(CutBefore({2}));
  job.plan.total_steps = 6;
  job.submitted.spec.mutable_evaluation()->set_early_stopping_patience(1);
  for (const double loss : {3.0, 3.5}) {
    v1::EvaluationMetrics metrics;
    metrics.set_split("validation");
    metrics.set_loss(loss);
    job.evaluations.Fresh().push_back(metrics);
  }
  EXPECT_TRUE(SamePlace(ResumePlaceOf(job), test));
  job.evaluations.Fresh().back().set_loss(2.5);
  EXPECT_TRUE(SamePlace(ResumePlaceOf(job), InStep(4)));
}

// What a job makes again must not be there twice, and nothing else be lost.
TEST(ResumePlaceTest, EvaluationsFromThePlaceOnAreMadeAgain) {
  struct Case {
    ChainPosition place;
    int64_t first;
  };
  const std::vector<Case> cases = {
      {ChainPosition(), EvaluationNumber(0, wv1::SPLIT_VALIDATION)},
      // That of step 4 was before it.
      {InStep(4), EvaluationNumber(5, wv1::SPLIT_VALIDATION)},
      {InStep(4, 2), EvaluationNumber(5, wv1::SPLIT_VALIDATION)},
      {InEvaluation(wv1::SPLIT_VALIDATION, 4),
       EvaluationNumber(4, wv1::SPLIT_VALIDATION)},
      {InEvaluation(wv1::SPLIT_TEST, 4), EvaluationNumber(4, wv1::SPLIT_TEST)},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(FirstEvaluationAfter(each.place), each.first)
        << static_cast<int>(each.place.phase) << " " << each.place.step;
  }
}

class ChangedDataTest : public ::testing::Test {
 protected:
  ChangedDataTest() {
    SetPrepared(job_);
    job_.checkpoints.Fresh().push_back(CheckpointAt(InStep(3), {}));
    *job_.checkpoints.Fresh().back().add_splits() = TokensOf(job_.splits[0]);
  }

  Job job_;
};

TEST_F(ChangedDataTest, IsNoneWhereTheTokensAreThoseOfTheCheckpoint) {
  EXPECT_EQ(ChangedDataOf(job_), "");
  // Its folder is another one; its name stands for the content.
  job_.splits[0].set_token_file("/elsewhere/train.tokens");
  EXPECT_EQ(ChangedDataOf(job_), "");
}

TEST_F(ChangedDataTest, IsToldWithTheNumbers) {
  job_.splits[0].set_token_file("/cache/other.tokens");
  job_.splits[0].set_token_count(300);
  EXPECT_EQ(ChangedDataOf(job_),
            "the data of train has 300 tokens and is not that of the "
            "checkpoint, 200 tokens");
}

TEST_F(ChangedDataTest, IsNotKnownWithoutACheckpointOrOfASplitThatHadNone) {
  job_.splits[0].set_split(wv1::SPLIT_TEST);
  job_.splits[0].set_token_file("/cache/other.tokens");
  EXPECT_EQ(ChangedDataOf(job_), "");
  job_.splits[0].set_split(wv1::SPLIT_TRAIN);
  EXPECT_THAT(ChangedDataOf(job_), HasSubstr("train"));
  job_.checkpoints.Fresh().clear();
  EXPECT_EQ(ChangedDataOf(job_), "");
}

TEST_F(ChangedDataTest, IsThatOfTheNewestCheckpoint) {
  journal::v1::CheckpointRecord older = job_.checkpoints->front();
  older.mutable_splits(0)->set_key("older");
  auto& checkpoints = job_.checkpoints.Fresh();
  checkpoints.insert(checkpoints.begin(), older);
  EXPECT_EQ(ChangedDataOf(job_), "");
}

}  // namespace
}  // namespace hydra
