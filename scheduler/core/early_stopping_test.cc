#include "scheduler/core/early_stopping.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "common/chain/testing/tiny_shape.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using Phase = ChainPosition::Phase;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// After every hundredth step, with the test split of one before.
std::vector<v1::EvaluationMetrics> Validations(
    const std::vector<double>& losses) {
  std::vector<v1::EvaluationMetrics> evaluations;
  for (double loss : losses) {
    v1::EvaluationMetrics metrics;
    metrics.set_step(100 * (evaluations.size() / 2 + 1));
    metrics.set_split("validation");
    metrics.set_loss(loss);
    evaluations.push_back(metrics);
    metrics.set_split("test");
    metrics.set_loss(-1);
    evaluations.push_back(metrics);
  }
  return evaluations;
}

int StallAfter(const std::vector<double>& losses, double threshold = 0) {
  return StallOf(Validations(losses), threshold).evaluations;
}

// What transformers' callback counts.
TEST(StallOfTest, CountsEvaluationsSinceTheLossWasLowered) {
  EXPECT_EQ(StallAfter({}), 0);
  EXPECT_EQ(StallAfter({3}), 0);
  EXPECT_EQ(StallAfter({3, 3}), 1);
  EXPECT_EQ(StallAfter({3, 4, 3.5}), 2) << "below the lowest, not the last";
  EXPECT_EQ(StallAfter({3, 4, 2}), 0);
  EXPECT_EQ(StallAfter({3, 4, 2, 2.5}), 1);
}

// What is lower by less becomes the lowest all the same.
TEST(StallOfTest, LowerIsWhatIsSoByMoreThanTheThreshold) {
  EXPECT_EQ(StallAfter({4, 3.5}, 0.5), 1);
  EXPECT_EQ(StallAfter({4, 3.25}, 0.5), 0);
  EXPECT_EQ(StallAfter({4, 3.75, 3.375}, 0.5), 2);
  const Stall stall = StallOf(Validations({4, 3.75, 3.5, 3.625}), 0.5);
  EXPECT_EQ(stall.lowest_loss, 3.5);
  EXPECT_EQ(stall.lowest_step, 300);
}

TEST(StallOfTest, NoNumberLowersNothingButCounts) {
  EXPECT_EQ(StallAfter({kNan}), 0);
  EXPECT_EQ(StallAfter({kNan, kNan, kNan}), 2);
  EXPECT_FALSE(StallOf(Validations({kNan, kNan}), 0).lowest_loss.has_value());
  EXPECT_EQ(StallAfter({kNan, kNan, 7}), 0);
  EXPECT_EQ(StallAfter({7, kNan, INFINITY}), 2);
  EXPECT_EQ(StallOf(Validations({7, kNan}), 0).lowest_loss, 7);
}

class EarlyStoppingTest : public ::testing::Test {
 protected:
  EarlyStoppingTest() {
    plan_.total_steps = 1000;
    plan_.eval_steps = 100;
    plan_.validation_batches = 1;
    plan_.test_batches = 1;
    spec_.set_eval_steps(100);
    spec_.set_early_stopping_patience(2);
  }
  // The last task of the evaluation.
  ChainPosition Evaluation(int64_t step,
                           wv1::Split split = wv1::SPLIT_VALIDATION) const {
    ChainPosition place;
    place.phase = Phase::kEvaluate;
    place.step = step;
    place.split = split;
    place.task = shape_.shard_count() - 1;
    return place;
  }
  ChainPosition After(int64_t step, const std::vector<double>& losses) const {
    return PlaceAfter(spec_, shape_, plan_, Evaluation(step),
                      Validations(losses));
  }
  bool Stopped(const ChainPosition& place,
               const std::vector<double>& losses) const {
    return HasStopped(spec_, plan_, place, Validations(losses));
  }
  std::string Reason(const ChainPosition& place,
                     const std::vector<double>& losses) const {
    return StopReason(spec_, plan_, place, Validations(losses));
  }

  const JobShape shape_ = TinyShape({}, {2});
  ChainPlan plan_;
  v1::EvaluationSpec spec_;
};

TEST_F(EarlyStoppingTest, AJobTrainsOnWhileTheLossFallsInTime) {
  const ChainPosition next = After(300, {4, 3, 3});
  EXPECT_EQ(next.phase, Phase::kTrain);
  EXPECT_EQ(next.step, 300);
  EXPECT_FALSE(Stopped(next, {4, 3, 3}));
  EXPECT_EQ(Reason(next, {4, 3, 3}), "");
}

TEST_F(EarlyStoppingTest, AJobThatStopsStillEvaluatesItsTestSplit) {
  ChainPosition next = After(300, {3.25, 4, 5});
  EXPECT_EQ(next.phase, Phase::kEvaluate);
  EXPECT_EQ(next.split, wv1::SPLIT_TEST);
  EXPECT_EQ(next.step, 300);
  EXPECT_TRUE(Stopped(next, {3.25, 4, 5}));
  EXPECT_FALSE(DecidesOnStop(spec_, shape_, plan_, next));
  next = PlaceAfter(spec_, shape_, plan_, Evaluation(300, wv1::SPLIT_TEST),
                    Validations({3.25, 4, 5}));
  EXPECT_TRUE(next.done());
  EXPECT_EQ(next.step, 300);
  EXPECT_EQ(Reason(next, {3.25, 4, 5}),
            "stopped after step 300: validation loss not below 3.25 of step "
            "100 for 2 evaluations");
}

TEST_F(EarlyStoppingTest, WithoutATestSplitItEndsAtOnce) {
  plan_.test_batches = 0;
  const ChainPosition next = After(300, {3.25, 4, 5});
  EXPECT_TRUE(next.done());
  EXPECT_TRUE(Stopped(next, {3.25, 4, 5}));
}

TEST_F(EarlyStoppingTest,
       TheReasonHasTheThresholdAndSaysWhereNothingIsANumber) {
  spec_.set_early_stopping_threshold(0.5);
  const std::vector<double> slowly = {4, 3.75, 3.5};
  EXPECT_EQ(Reason(After(300, slowly), slowly),
            "stopped after step 300: for 2 evaluations validation loss did not "
            "fall by more than 0.5; the lowest is 3.5 of step 300");
  const std::vector<double> never(3, kNan);
  EXPECT_EQ(Reason(After(300, never), never),
            "stopped after step 300: validation loss was no number for 2 "
            "evaluations");
}

TEST_F(EarlyStoppingTest, TheLastEvaluationStopsNothing) {
  const ChainPosition next = After(1000, {3, 4, 5, 6});
  EXPECT_EQ(next.split, wv1::SPLIT_TEST);
  EXPECT_FALSE(Stopped(next, {3, 4, 5, 6}));
  EXPECT_EQ(Reason(next, {3, 4, 5, 6}), "");
}

TEST_F(EarlyStoppingTest, WithoutPatienceNothingIsDecided) {
  EXPECT_TRUE(DecidesOnStop(spec_, shape_, plan_, Evaluation(100)));
  ChainPosition first_task = Evaluation(100);
  first_task.task = 0;
  EXPECT_FALSE(DecidesOnStop(spec_, shape_, plan_, first_task));
  EXPECT_FALSE(DecidesOnStop(spec_, shape_, plan_, Evaluation(1000)));
  spec_.clear_early_stopping_patience();
  EXPECT_FALSE(DecidesOnStop(spec_, shape_, plan_, Evaluation(100)));
  EXPECT_EQ(After(300, {3, 4, 5}).phase, Phase::kTrain);
}

// Its plan has grown since: then it was the last step.
TEST_F(EarlyStoppingTest, WhoCameToTheEndOfAShorterPlanDidNotStop) {
  const ChainPosition place = Evaluation(300, wv1::SPLIT_TEST);
  EXPECT_FALSE(Stopped(place, {3, 4, 2.5}));
  EXPECT_EQ(Reason(place, {3, 4, 2.5}), "");
  EXPECT_TRUE(Stopped(place, {3, 4, 5}));
  spec_.clear_early_stopping_patience();
  EXPECT_FALSE(Stopped(place, {3, 4, 5}));
  EXPECT_EQ(Reason(place, {3, 4, 5}), "");
}

}  // namespace
}  // namespace hydra
