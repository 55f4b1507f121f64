#include "scheduler/core/time_model.h"

#include <gtest/gtest.h>

#include "common/status/proto_time.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

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

std::vector<hydra::v1::LayerProfile> Layers() {
  std::vector<hydra::v1::LayerProfile> layers(4);
  for (hydra::v1::LayerProfile& layer : layers) {
    *layer.mutable_forward() = ToProto(absl::Seconds(1));
    *layer.mutable_backward() = ToProto(absl::Seconds(2));
  }
  return layers;
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
  const JobShape shape = Shape();
  const TimeModel model(shape, Layers());
  ChainPlan plan;
  plan.total_steps = 4;
  plan.eval_steps = 2;
  plan.validation_batches = 2 * kEvalBatchesPerVisit;
  plan.test_batches = kEvalBatchesPerVisit;
  for (ChainPosition at; !at.done(); at = Next(shape, plan, at)) {
    EXPECT_EQ(model.Remaining(shape, plan, at),
              SumFrom(model, shape, plan, at));
  }
}

TEST(TimeModelTest, AMeasurementReplacesThePilotsAndLaterOnesBlend) {
  const JobShape shape = Shape();
  TimeModel model(shape, Layers());
  ChainTask turn =
      TaskAt(shape, {1}, {ChainPosition::Phase::kTrain, 0, /*task=*/2});
  ASSERT_EQ(turn.kind, wv1::TASK_KIND_TURN);
  EXPECT_EQ(model.Estimate(turn), absl::Seconds(3));
  model.Observe(turn, absl::Seconds(10));
  EXPECT_EQ(model.Estimate(turn), absl::Seconds(10));
  model.Observe(turn, absl::Seconds(20));
  EXPECT_EQ(model.Estimate(turn), absl::Seconds(13));
}

}  // namespace
}  // namespace hydra
