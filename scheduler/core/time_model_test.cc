#include "scheduler/core/time_model.h"

#include <gtest/gtest.h>

#include "common/model/gpt2_table.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

constexpr auto kWall = TimeModel::Measure::kWall;

JobShape Shape() {
  Gpt2Config config;
  config.vocab_size = 10;
  config.n_positions = 4;
  config.n_embd = 4;
  config.n_layer = 2;
  config.n_head = 1;
  config.n_inner = 16;
  JobShape shape;
  shape.table = BuildGpt2Table(config);
  shape.context_length = 4;
  shape.shards = ShardsOf({1, 3}, 4);
  return shape;
}

// As a pilot reports them: the head's forward is part of its backward.
std::vector<hydra::v1::LayerProfile> Layers() {
  std::vector<hydra::v1::LayerProfile> layers(4);
  for (hydra::v1::LayerProfile& layer : layers) {
    *layer.mutable_forward() = ToProto(absl::Seconds(1));
    *layer.mutable_backward() = ToProto(absl::Seconds(2));
  }
  layers.back().clear_forward();
  *layers.back().mutable_backward() = ToProto(absl::Seconds(3));
  return layers;
}

ChainTask Evaluate(const JobShape& shape, int shard, int64_t batches,
                   int64_t sequences) {
  ChainPlan plan;
  plan.validation_batches = batches;
  plan.validation_sequences = sequences;
  ChainPosition at;
  at.phase = ChainPosition::Phase::kEvaluate;
  at.split = wv1::SPLIT_VALIDATION;
  at.task = shard;
  return TaskAt(shape, plan, at);
}

// The sum of the estimates of every task from `at` on.
absl::Duration SumFrom(const TimeModel& model, const JobShape& shape,
                       const ChainPlan& plan, ChainPosition at) {
  absl::Duration sum;
  for (; !at.done(); at = Next(shape, plan, at)) {
    sum += model.Estimate(TaskAt(shape, plan, at));
  }
  return sum;
}

TEST(TimeModelTest, RemainingIsTheSumOfTheTasksAtEveryPlace) {
  JobShape shape = Shape();
  shape.eval_batch_size = 3;
  const TimeModel model(shape, Layers());
  ChainPlan plan;
  plan.total_steps = 4;
  plan.eval_steps = 2;
  plan.validation_batches = 2 * EvaluationVisitBatches(shape);
  plan.test_batches = EvaluationVisitBatches(shape);
  plan.test_sequences = 10;
  for (ChainPosition at; !at.done(); at = Next(shape, plan, at)) {
    EXPECT_EQ(model.Remaining(shape, plan, at, kWall),
              SumFrom(model, shape, plan, at));
  }
}

TEST(TimeModelTest, AJobThatStoppedEarlyHasItsTestSplitLeft) {
  JobShape shape = Shape();
  const TimeModel model(shape, Layers());
  ChainPlan plan;
  plan.total_steps = 100;
  plan.eval_steps = 2;
  plan.validation_batches = 3;
  plan.test_batches = 2 * EvaluationVisitBatches(shape);
  ChainPosition at;
  at.phase = ChainPosition::Phase::kEvaluate;
  at.step = 4;
  at.split = worker::v1::SPLIT_TEST;
  for (; !at.done(); at = Next(shape, plan, at)) {
    EXPECT_EQ(at.step, 4);
    EXPECT_EQ(model.Remaining(shape, plan, at, kWall),
              SumFrom(model, shape, plan, at));
  }
}

// Gradients that are clipped have UPDATE tasks behind them, which take no time
// of the device.
TEST(TimeModelTest, RemainingIsTheSumOfTheTasksInRoundsToo) {
  JobShape shape = Shape();
  shape.micro_batches = 8;
  for (bool clips : {false, true}) {
    for (int rounds : {1, 3, 8}) {
      shape.clips_gradients = clips;
      shape.rounds = rounds;
      const TimeModel model(shape, Layers());
      ChainPlan plan;
      plan.total_steps = 2;
      for (ChainPosition at; !at.done(); at = Next(shape, plan, at)) {
        EXPECT_EQ(model.Remaining(shape, plan, at, kWall),
                  SumFrom(model, shape, plan, at))
            << rounds << " rounds, task " << at.task;
      }
    }
  }
}

TEST(TimeModelTest, ARoundTellsOfTheOthersByItsMicroBatches) {
  JobShape shape = Shape();
  shape.micro_batches = 6;
  shape.rounds = 4;
  TimeModel model(shape, Layers());
  const auto turn_of = [&shape](int round) {
    return TaskAt(
        shape, {1},
        {ChainPosition::Phase::kTrain, 0, round * TasksPerRound(shape) + 2});
  };
  ASSERT_EQ(turn_of(0).last_micro_batch, 1);
  ASSERT_EQ(turn_of(1).last_micro_batch, 3);
  model.Observe(turn_of(1), absl::Seconds(10), {});
  EXPECT_EQ(model.Estimate(turn_of(0)), absl::Seconds(5));
  EXPECT_EQ(model.Estimate(turn_of(1)), absl::Seconds(10));
}

TEST(TimeModelTest, AMeasurementReplacesThePilotsAndLaterOnesBlend) {
  const JobShape shape = Shape();
  TimeModel model(shape, Layers());
  ChainTask turn =
      TaskAt(shape, {1}, {ChainPosition::Phase::kTrain, 0, /*task=*/2});
  ASSERT_EQ(turn.kind, wv1::TASK_KIND_TURN);
  EXPECT_EQ(model.Estimate(turn), absl::Seconds(3));
  model.Observe(turn, absl::Seconds(10), {});
  EXPECT_EQ(model.Estimate(turn), absl::Seconds(10));
  model.Observe(turn, absl::Seconds(20), {});
  EXPECT_EQ(model.Estimate(turn), absl::Seconds(13));
}

TEST(TimeModelTest, WaitsForCopiesCountWhereTheyAreAskedFor) {
  const JobShape shape = Shape();
  TimeModel model(shape, Layers());
  const ChainPosition begin{ChainPosition::Phase::kTrain, 0, 0};
  for (int task = 0; task < TasksPerStep(shape); ++task) {
    model.Observe(TaskAt(shape, {1}, {ChainPosition::Phase::kTrain, 0, task}),
                  absl::Seconds(10), absl::Seconds(4));
  }
  constexpr auto kWithoutWaits = TimeModel::Measure::kWithoutWaits;
  EXPECT_EQ(model.StepTime(kWall), absl::Seconds(50));
  EXPECT_EQ(model.StepTime(kWithoutWaits), absl::Seconds(30));
  EXPECT_EQ(model.Remaining(shape, {3}, begin, kWall), absl::Seconds(150));
  EXPECT_EQ(model.Remaining(shape, {3}, begin, kWithoutWaits),
            absl::Seconds(90));
}

TEST(TimeModelTest, AHeadThatIsAShardOfItsOwnTakesTimeToEvaluate) {
  JobShape shape = Shape();
  shape.shards = ShardsOf({1, 3}, 4);
  const TimeModel model(shape, Layers());
  const int head = shape.shard_count() - 1;
  EXPECT_EQ(model.Estimate(Evaluate(shape, head, /*batches=*/4, 0)),
            absl::Seconds(4));
}

TEST(TimeModelTest, AnEvaluationOfOneSequenceTellsOfOneOfMany) {
  JobShape shape = Shape();
  shape.eval_batch_size = 64;
  TimeModel model(shape, Layers());
  const ChainTask one = Evaluate(shape, 0, /*batches=*/1, /*sequences=*/1);
  model.Observe(one, absl::Seconds(5), {});
  EXPECT_EQ(model.Estimate(one), absl::Seconds(5));
  EXPECT_EQ(model.Estimate(Evaluate(shape, 0, /*batches=*/4, 4 * 64)),
            absl::Seconds(5 * 4 * 64));
}

TEST(TimeModelTest, AShortVisitMayTakeAsLongAsAFullOne) {
  JobShape shape = Shape();
  shape.eval_batch_size = 64;
  TimeModel model(shape, Layers());
  model.Observe(Evaluate(shape, 0, /*batches=*/4, 4 * 64), absl::Seconds(256),
                {});
  const ChainTask one = Evaluate(shape, 0, /*batches=*/1, /*sequences=*/1);
  EXPECT_EQ(model.Estimate(one), absl::Seconds(1));
  EXPECT_EQ(model.EstimateOfFullVisit(one), absl::Seconds(256));
}

TEST(TimeModelTest, AttentionGrowsWithTheSquareOfTheContext) {
  JobShape shape = Shape();
  const ChainTask middle =
      TaskAt(shape, {1}, {ChainPosition::Phase::kTrain, 0, /*task=*/1});
  shape.context_length = 1 << 10;
  const absl::Duration one = TimeModel(shape, {}).Estimate(middle);
  shape.context_length = 1 << 20;
  const absl::Duration long_context = TimeModel(shape, {}).Estimate(middle);
  EXPECT_GT(absl::FDivDuration(long_context, one), 1 << 18);
}

TEST(TimeModelTest, AnotherDaemonGoesOnWithWhatWasMeasured) {
  const JobShape shape = Shape();
  TimeModel model(shape, Layers());
  const ChainTask turn =
      TaskAt(shape, {1}, {ChainPosition::Phase::kTrain, 0, /*task=*/2});
  model.Observe(turn, absl::Seconds(70), {});
  TimeModel after(shape, Layers());
  after.Restore(model.measured());
  EXPECT_EQ(after.Estimate(turn), absl::Seconds(70));
  after.Observe(turn, absl::Seconds(80), {});
  EXPECT_EQ(after.Estimate(turn), absl::Seconds(73));
  // Nothing was measured of it.
  EXPECT_EQ(after.Estimate(Evaluate(shape, 0, 1, 0)), absl::Seconds(1));
}

}  // namespace
}  // namespace hydra
