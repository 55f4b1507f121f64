// Updates with gradients that wait for the norm of all of them.

#include <cmath>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

using worker::v1::BLOCK_KIND_PARAMETER_GRADIENT;
using worker::v1::BLOCK_KIND_PARAMETERS;
using worker::v1::TaskReport;

constexpr int64_t kPlenty = int64_t{32} << 20;

using Blocks = std::vector<std::vector<float>>;

// Steps of SGD, where an update tells its gradient.
class ClippingTest : public testing::Test {
 protected:
  static TinyJob::Options WithNorm(double max_grad_norm) {
    TinyJob::Options options;
    options.optimizer = hydra::v1::OPTIMIZER_SGD;
    options.max_grad_norm = max_grad_norm;
    return options;
  }

  struct Step {
    Blocks before;
    Blocks gradients;
    Blocks after;
    // Of each UPDATE.
    std::vector<double> norms;
  };

  static Step RunStep(double max_grad_norm) {
    TinyJob job(WithNorm(max_grad_norm), testing::TempDir());
    job.context().mutable_spec()->mutable_train()->set_weight_decay(0);
    job.SetCuts({1, 3});
    const auto device = NewTestDevice(kPlenty);
    TaskRunner runner(device.get(), job.pool().AsHostRange());
    job.Prepare();
    job.Init(runner);
    Step step;
    step.before = All(job, BLOCK_KIND_PARAMETERS);
    for (int i = 0; i < job.TaskCount(); ++i) {
      const worker::v1::Task task = job.StepTask(i);
      if (task.kind() == worker::v1::TASK_KIND_UPDATE &&
          step.gradients.empty()) {
        step.gradients = All(job, BLOCK_KIND_PARAMETER_GRADIENT);
      }
      const TaskReport report = job.Run(runner, task);
      EXPECT_FALSE(report.has_error()) << report.ShortDebugString();
      job.Commit(task);
      if (report.pass().has_grad_norm()) {
        step.norms.push_back(report.pass().grad_norm());
      }
    }
    step.after = All(job, BLOCK_KIND_PARAMETERS);
    return step;
  }

  static Blocks All(TinyJob& job, worker::v1::BlockKind kind) {
    Blocks blocks;
    const auto count = static_cast<int>(job.table().parameter_blocks.size());
    for (int block = 0; block < count; ++block) {
      const absl::Span<float> slot = job.Slot(kind, block);
      blocks.emplace_back(slot.begin(), slot.end());
    }
    return blocks;
  }

  static double NormOf(const Blocks& blocks) {
    double squares = 0;
    for (const std::vector<float>& block : blocks) {
      for (float number : block) squares += double{number} * number;
    }
    return std::sqrt(squares);
  }
};

TEST_F(ClippingTest, AllGradientsTogetherAreScaledToTheLimit) {
  constexpr double kMostNorm = 0.01;
  const Step step = RunStep(kMostNorm);
  const double norm = NormOf(step.gradients);
  ASSERT_GT(norm, 2 * kMostNorm);
  ASSERT_EQ(step.norms.size(), 3) << "one UPDATE for each shard";
  for (double reported : step.norms) EXPECT_NEAR(reported, norm, 1e-9 * norm);
  Blocks moved = step.after;
  for (size_t block = 0; block < moved.size(); ++block) {
    for (size_t i = 0; i < moved[block].size(); ++i) {
      moved[block][i] -= step.before[block][i];
      ASSERT_NEAR(moved[block][i],
                  -0.01 * step.gradients[block][i] * kMostNorm / norm, 1e-7);
    }
  }
}

TEST_F(ClippingTest, SmallerGradientsAreLeftAsTheyAre) {
  const Step clipped = RunStep(/*max_grad_norm=*/1e6);
  TinyJob job(WithNorm(/*max_grad_norm=*/0), testing::TempDir());
  job.context().mutable_spec()->mutable_train()->set_weight_decay(0);
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  job.Step(runner);
  EXPECT_TRUE(All(job, BLOCK_KIND_PARAMETERS) == clipped.after);
}

}  // namespace
}  // namespace hydra
