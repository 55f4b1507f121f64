// Training with products of float16 and a scaled loss: the same bits however a
// model is cut, steps that overflow and update nothing, and updates with
// gradients that have lost their scale again.

#include <cmath>
#include <cstddef>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

using testing::IsEmpty;
using worker::v1::BLOCK_KIND_PARAMETER_GRADIENT;
using worker::v1::BLOCK_KIND_PARAMETERS;
using worker::v1::SPLIT_VALIDATION;
using worker::v1::Task;
using worker::v1::TASK_KIND_UPDATE;
using worker::v1::TaskReport;

constexpr int64_t kPlenty = int64_t{32} << 20;
constexpr int kSteps = 8;
// A step has 144 targets, and almost all of a wrong target's weight is its
// gradient: such a scale makes more of it than float16 has room for, whatever
// the model.
constexpr double kTooLarge = 0x1p25;

struct Outcome {
  std::vector<double> losses;
  // Of each step.
  std::vector<double> scales;
  std::vector<std::byte> state;
};

struct Case {
  std::string name;
  hydra::v1::Optimizer optimizer = hydra::v1::OPTIMIZER_ADAMW;
  double momentum = 0;
  bool tied = true;
  bool has_adapters = false;
  std::vector<std::string> frozen = {};
  hydra::v1::ParameterType trained_dtype = hydra::v1::PARAMETER_TYPE_FLOAT32;
};

std::ostream& operator<<(std::ostream& out, const Case& of) {
  return out << of.name;
}

// Of five layers: embedding, three blocks, head.
std::vector<Case> Cases() {
  return {
      {"AdamW"},
      {"AdamWUntied", hydra::v1::OPTIMIZER_ADAMW, 0, /*tied=*/false},
      {"Momentum", hydra::v1::OPTIMIZER_SGD, 0.9},
      {"Adafactor", hydra::v1::OPTIMIZER_ADAFACTOR},
      {"Adapters", hydra::v1::OPTIMIZER_ADAMW, 0, /*tied=*/true,
       /*has_adapters=*/true},
      {"FrozenFirst",
       hydra::v1::OPTIMIZER_ADAMW,
       0,
       /*tied=*/false,
       /*has_adapters=*/false,
       {"*.w?e.*", "*.h.0.*"}},
      {"Masters",
       hydra::v1::OPTIMIZER_ADAMW,
       0,
       /*tied=*/true,
       /*has_adapters=*/false,
       {},
       hydra::v1::PARAMETER_TYPE_BFLOAT16},
  };
}

TinyJob::Options OptionsOf(const Case& of) {
  TinyJob::Options options;
  options.fp16 = true;
  options.loss_scale = kTooLarge;
  options.loss_scale_growth_interval = 2;
  options.optimizer = of.optimizer;
  options.momentum = of.momentum;
  options.tied = of.tied;
  options.frozen = of.frozen;
  options.trained_dtype = of.trained_dtype;
  if (of.has_adapters) {
    options.lora.emplace();
    options.lora->set_r(4);
    options.lora->set_lora_alpha(8);
  }
  if (of.has_adapters || !of.frozen.empty()) {
    options.frozen_dtype = hydra::v1::PARAMETER_TYPE_FLOAT16;
  }
  options.dropout = 0.1;
  options.micro_batches = 3;
  return options;
}

Outcome Train(const TinyJob::Options& options, const std::vector<int>& cuts,
              bool overlapped = false) {
  TinyJob job(options, testing::TempDir());
  job.SetCuts(cuts);
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  Outcome outcome;
  for (int step = 0; step < kSteps; ++step) {
    outcome.scales.push_back(job.loss_scale());
    outcome.losses.push_back(overlapped ? job.OverlappedStep(runner)
                                        : job.Step(runner));
  }
  job.Finish();
  outcome.scales.push_back(job.loss_scale());
  outcome.losses.push_back(job.Evaluate(runner, SPLIT_VALIDATION));
  outcome.state = job.State();
  return outcome;
}

int Overflows(const Outcome& outcome) {
  int overflows = 0;
  for (int step = 0; step < kSteps; ++step) {
    overflows += outcome.scales[step + 1] < outcome.scales[step];
  }
  return overflows;
}

void ExpectSame(const Outcome& actual, const Outcome& expected) {
  EXPECT_EQ(actual.losses, expected.losses);
  EXPECT_EQ(actual.scales, expected.scales);
  EXPECT_TRUE(actual.state == expected.state) << "parameters or state differ";
}

class ScaledLossTest : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(All, ScaledLossTest, testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ScaledLossTest, EveryPartitionGivesTheSameBits) {
  for (double max_grad_norm : {0.0, 0.01}) {
    SCOPED_TRACE(absl::StrCat("norm ", max_grad_norm));
    TinyJob::Options options = OptionsOf(GetParam());
    options.max_grad_norm = max_grad_norm;
    const Outcome whole = Train(options, {});
    // Some steps overflow, and others do not.
    EXPECT_GT(Overflows(whole), 0);
    EXPECT_LT(Overflows(whole), kSteps);
    ExpectSame(Train(options, {2}), whole);
    ExpectSame(Train(options, {1, 4}, /*overlapped=*/true), whole);
    ExpectSame(Train(options, {1, 2, 3, 4}), whole);
    ExpectSame(Train(options, {1, 2, 3, 4}, /*overlapped=*/true), whole);
  }
}

TEST_P(ScaledLossTest, RoundsGiveTheSameBits) {
  TinyJob::Options options = OptionsOf(GetParam());
  const Outcome whole = Train(options, {3});
  options.micro_batches_per_round = 2;
  ExpectSame(Train(options, {3}), whole);
  ExpectSame(Train(options, {1, 2, 3, 4}, /*overlapped=*/true), whole);
}

// Whose products have no such range to care for.
TEST_P(ScaledLossTest, OtherProductsGiveOtherBits) {
  TinyJob::Options options = OptionsOf(GetParam());
  options.loss_scale = 1024;
  options.loss_scale_growth_interval = 0;
  const Outcome half = Train(options, {});
  options.fp16 = false;
  EXPECT_NE(Train(options, {}).losses, half.losses);
  options.bf16 = true;
  EXPECT_NE(Train(options, {}).losses, half.losses);
}

using Blocks = std::vector<std::vector<float>>;

Blocks All(TinyJob& job, worker::v1::BlockKind kind) {
  Blocks blocks;
  const auto count = static_cast<int>(job.table().parameter_blocks.size());
  for (int block = 0; block < count; ++block) {
    const absl::Span<float> slot = job.Slot(kind, block);
    blocks.emplace_back(slot.begin(), slot.end());
  }
  return blocks;
}

// A job of three shards after its initialisation.
class ScaledStepTest : public testing::Test {
 protected:
  explicit ScaledStepTest(const TinyJob::Options& options = Sgd(kTooLarge))
      : job_(options, testing::TempDir()),
        device_(NewTestDevice(kPlenty)),
        runner_(device_.get(), job_.pool().AsHostRange()) {
    job_.context().mutable_spec()->mutable_train()->set_weight_decay(0);
    job_.SetCuts({1, 3});
    job_.Prepare();
    job_.Init(runner_);
  }

  static TinyJob::Options Sgd(double loss_scale) {
    TinyJob::Options options;
    options.optimizer = hydra::v1::OPTIMIZER_SGD;
    options.fp16 = true;
    options.loss_scale = loss_scale;
    return options;
  }

  TinyJob job_;
  const std::unique_ptr<Device> device_;
  TaskRunner runner_;
};

TEST_F(ScaledStepTest, AnOverflowLeavesAllAsItWas) {
  const std::vector<std::byte> before = job_.State();
  const std::vector<TaskReport> reports = job_.StepReports(runner_);
  EXPECT_TRUE(job_.State() == before);
  EXPECT_EQ(job_.loss_scale(), kTooLarge / 2);
  int updates = 0, skipped = 0;
  for (const TaskReport& report : reports) {
    skipped += report.pass().skipped_blocks_size();
    if (!report.pass().has_grad_norm()) continue;
    ++updates;
    EXPECT_FALSE(std::isfinite(report.pass().grad_norm()));
  }
  EXPECT_EQ(updates, 3) << "one for each shard";
  EXPECT_EQ(skipped, static_cast<int>(job_.table().parameter_blocks.size()));
  // The loss is the model's own, without the scale.
  EXPECT_LT(TinyJob::MeanLoss(reports), 2 * std::log(97));
  // Nobody has to look at it.
  EXPECT_THAT(job_.log().warnings, IsEmpty());
}

class SmallScaleTest : public ScaledStepTest {
 protected:
  static constexpr double kScale = 4096;

  SmallScaleTest() : ScaledStepTest(Sgd(kScale)) {}
};

// What waits in the pool has the scale; what is reported and used has not.
TEST_F(SmallScaleTest, GradientsAreDividedByTheScaleBeforeTheirUse) {
  const Blocks before = All(job_, BLOCK_KIND_PARAMETERS);
  Blocks gradients;
  double norm = 0;
  for (int i = 0; i < job_.TaskCount(); ++i) {
    const Task task = job_.StepTask(i);
    if (task.kind() == TASK_KIND_UPDATE && gradients.empty()) {
      gradients = All(job_, BLOCK_KIND_PARAMETER_GRADIENT);
    }
    const TaskReport report = job_.Run(runner_, task);
    ASSERT_FALSE(report.has_error()) << report.ShortDebugString();
    EXPECT_EQ(report.pass().skipped_blocks_size(), 0);
    job_.Commit(task);
    if (report.pass().has_grad_norm()) norm = report.pass().grad_norm();
  }
  const Blocks after = All(job_, BLOCK_KIND_PARAMETERS);
  double squares = 0;
  for (size_t block = 0; block < after.size(); ++block) {
    for (size_t i = 0; i < after[block].size(); ++i) {
      const double gradient = gradients[block][i] / kScale;
      squares += gradient * gradient;
      ASSERT_NEAR(after[block][i] - before[block][i], -0.01 * gradient, 1e-6);
    }
  }
  EXPECT_NEAR(norm, std::sqrt(squares), 1e-9 * norm);
  EXPECT_GT(norm, 0.01);
}

// An update's number is that of the updates made, not that of the step.
TEST(SkippedStepsTest, TheOptimizerDoesNotCountThem) {
  TinyJob::Options options;
  options.fp16 = true;
  options.loss_scale = 4096;
  const auto updated_at = [&](int64_t step, int64_t skipped) {
    TinyJob job(options, testing::TempDir());
    const auto device = NewTestDevice(kPlenty);
    TaskRunner runner(device.get(), job.pool().AsHostRange());
    job.Prepare();
    job.Init(runner);
    for (int i = 0; i < job.TaskCount(); ++i) {
      Task task = job.StepTask(i);
      if (task.kind() == TASK_KIND_UPDATE) {
        task.set_step(step);
        task.set_skipped_steps(skipped);
      }
      const TaskReport report = job.Run(runner, task);
      EXPECT_FALSE(report.has_error()) << report.ShortDebugString();
      job.Commit(task);
    }
    return All(job, BLOCK_KIND_PARAMETERS);
  };
  const Blocks at_once = updated_at(/*step=*/0, /*skipped=*/0);
  EXPECT_TRUE(updated_at(/*step=*/5, /*skipped=*/5) == at_once);
  EXPECT_FALSE(updated_at(/*step=*/5, /*skipped=*/0) == at_once);
}

}  // namespace
}  // namespace hydra
