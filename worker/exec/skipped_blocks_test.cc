// Steps whose loss or gradients are infinite or no number.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/batch_reader.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"
#include "worker/model/optimizer_step.h"

namespace hydra {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using worker::v1::BLOCK_KIND_OPTIMIZER_STATE;
using worker::v1::BLOCK_KIND_PARAMETER_GRADIENT;
using worker::v1::BLOCK_KIND_PARAMETERS;
using worker::v1::TaskReport;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

constexpr int64_t kPlenty = int64_t{32} << 20;

// What a step made of a job that had trained one step before.
struct BadStep {
  double loss = 0;
  // In the order of the reports.
  std::vector<int> skipped;
  std::vector<std::string> warnings;
  std::vector<std::byte> state_before;
  std::vector<std::byte> state;
};

using Spoiler = std::function<void(TinyJob&)>;

std::vector<int> SkippedBlocks(const std::vector<TaskReport>& reports) {
  std::vector<int> skipped;
  for (const TaskReport& report : reports) {
    skipped.insert(skipped.end(), report.pass().skipped_blocks().begin(),
                   report.pass().skipped_blocks().end());
  }
  return skipped;
}

BadStep RunBadStep(const TinyJob::Options& options,
                   const std::vector<int>& cuts, const Spoiler& spoil) {
  TinyJob job(options, testing::TempDir());
  job.SetCuts(cuts);
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  EXPECT_THAT(SkippedBlocks(job.StepReports(runner)), IsEmpty());
  EXPECT_THAT(job.log().warnings, IsEmpty());

  spoil(job);
  runner.cache().DropAll();
  BadStep step;
  step.state_before = job.State();
  const std::vector<TaskReport> reports = job.StepReports(runner);
  step.loss = reports[cuts.size()].pass().loss_sum();
  step.skipped = SkippedBlocks(reports);
  step.warnings = job.log().warnings;
  step.state = job.State();
  return step;
}

const std::vector<std::vector<int>> kPartitions = {{}, {1, 3}, {1, 2, 3, 4}};

// Every partition must do as told, and all of them the same.
void ExpectNothingUpdated(const TinyJob::Options& options,
                          const Spoiler& spoil) {
  const size_t blocks = options.tied ? 6 : 7;
  std::vector<std::byte> first;
  for (const std::vector<int>& cuts : kPartitions) {
    SCOPED_TRACE(absl::StrCat(cuts.size() + 1, " shards"));
    const BadStep step = RunBadStep(options, cuts, spoil);
    EXPECT_FALSE(std::isfinite(step.loss));
    EXPECT_EQ(step.skipped.size(), blocks);
    EXPECT_TRUE(step.state == step.state_before);
    // Each shard's last task had something to say.
    EXPECT_EQ(step.warnings.size(), cuts.size() + 1);
    if (first.empty()) first = step.state;
    EXPECT_TRUE(step.state == first) << "partitions differ";
  }
}

// Block 3 is layer 2's, the middle one.
void SpoilMiddleLayer(TinyJob& job) {
  job.Slot(BLOCK_KIND_PARAMETERS, 3)[1000] = kNan;
}

TEST(SkippedBlocksTest, ANanInOneLayerStopsAllOfAStep) {
  for (bool tied : {true, false}) {
    for (auto optimizer :
         {hydra::v1::OPTIMIZER_ADAMW, hydra::v1::OPTIMIZER_SGD}) {
      for (int micro_batches : {1, 2}) {
        TinyJob::Options options;
        options.tied = tied;
        options.optimizer = optimizer;
        options.micro_batches = micro_batches;
        options.dropout = 0.1;
        ExpectNothingUpdated(options, SpoilMiddleLayer);
      }
    }
  }
}

// There, half of what is spoiled is no number.
TEST(SkippedBlocksTest, MastersStayAsTheyAreToo) {
  for (auto optimizer :
       {hydra::v1::OPTIMIZER_ADAMW, hydra::v1::OPTIMIZER_SGD}) {
    for (auto place :
         {hydra::v1::UPDATE_PLACE_HOST, hydra::v1::UPDATE_PLACE_DEVICE}) {
      for (double max_grad_norm : {0, 1}) {
        TinyJob::Options options;
        options.trained_dtype = hydra::v1::PARAMETER_TYPE_BFLOAT16;
        options.optimizer = optimizer;
        options.update_place = place;
        options.max_grad_norm = max_grad_norm;
        ExpectNothingUpdated(options, SpoilMiddleLayer);
      }
    }
  }
}

// The loss is finite, and so are the gradients of later layers. Those of layer
// 2, and of all before it, are not.
void OverflowMiddleGradient(TinyJob& job) {
  const ParameterBlock& block = job.table().parameter_blocks[3];
  const absl::Span<float> parameters = job.Slot(BLOCK_KIND_PARAMETERS, 3);
  // Behind a norm that lets nothing pass, forward.
  for (const TensorEntry& tensor : block.tensors) {
    const absl::string_view name = tensor.name;
    const bool zero = absl::StrContains(name, "ln_2") ||
                      absl::EndsWith(name, "mlp.c_fc.bias");
    const bool huge =
        absl::StrContains(name, "mlp") && absl::EndsWith(name, ".weight");
    if (!zero && !huge) continue;
    const auto begin = parameters.begin() + tensor.offset_bytes / kFloatBytes;
    std::fill(begin, begin + tensor.element_count, huge ? 1e30f : 0.0f);
  }
}

// Where the norm is of all gradients, one that is bad stops all updates.
TEST(SkippedBlocksTest, AGradientWithoutANormUpdatesNothing) {
  TinyJob::Options options;
  options.max_grad_norm = 1;
  std::vector<std::byte> first;
  for (const std::vector<int>& cuts : kPartitions) {
    SCOPED_TRACE(absl::StrCat(cuts.size() + 1, " shards"));
    const BadStep step = RunBadStep(options, cuts, OverflowMiddleGradient);
    EXPECT_TRUE(std::isfinite(step.loss));
    EXPECT_EQ(step.skipped.size(), 6);
    EXPECT_TRUE(step.state == step.state_before);
    EXPECT_EQ(step.warnings.size(), cuts.size() + 1);
    if (first.empty()) first = step.state;
    EXPECT_TRUE(step.state == first) << "partitions differ";
  }
}

TEST(SkippedBlocksTest, BlocksAreNamedInTheOrderOfTheirUpdates) {
  EXPECT_THAT(RunBadStep({}, {}, SpoilMiddleLayer).skipped,
              ElementsAre(5, 4, 3, 2, 0, 1));
  EXPECT_THAT(RunBadStep({}, {1, 3}, SpoilMiddleLayer).skipped,
              ElementsAre(5, 4, 3, 2, 0, 1));
}

TEST(SkippedBlocksTest, TheOwnerIsToldOncePerTask) {
  const std::string end =
      " were not updated, since their gradient is infinite or no number";
  EXPECT_THAT(
      RunBadStep({}, {1, 3}, SpoilMiddleLayer).warnings,
      ElementsAre(
          absl::StrCat("step 1, loss nan: parameters of layers 3, 4", end),
          absl::StrCat("step 1: parameters of layers 1, 2", end),
          absl::StrCat("step 1: parameters of layers 0", end)));
}

TEST(SkippedBlocksTest, OneMicroBatchSufficesThoughTheLastOneIsFine) {
  TinyJob::Options options;
  // Only then does a bad row leave the other rows' logits alone.
  options.tied = false;
  options.vocabulary = 2000;
  options.micro_batches = 2;
  ExpectNothingUpdated(options, [&options](TinyJob& job) {
    const auto batches =
        BatchReader(1 << 20).Read(job.StepTask(0), job.context(), job.table());
    ASSERT_TRUE(batches.ok()) << batches.status();
    const std::vector<int64_t>& later = batches->back().tokens;
    const std::vector<int64_t>& tokens = batches->front().tokens;
    const auto only_here =
        std::find_if(tokens.begin(), tokens.end(), [&later](int64_t token) {
          return std::count(later.begin(), later.end(), token) == 0;
        });
    // The row's last token is a target, no input.
    ASSERT_LT(only_here - tokens.begin(), options.context);
    job.Slot(BLOCK_KIND_PARAMETERS, 0)[*only_here * options.width] = kNan;
  });
}

TEST(SkippedBlocksTest, AnInfiniteLossStopsAllThoughGradientsAreFinite) {
  TinyJob::Options options;
  options.tied = false;
  ExpectNothingUpdated(options, [&options](TinyJob& job) {
    // The head's input does not matter: every token's logits are 3e38 for even
    // ids and -3e38 for odd ones, whose loss is infinite and whose gradients
    // are small numbers.
    const absl::Span<float> norm = job.Slot(BLOCK_KIND_PARAMETERS, 5);
    std::fill(norm.begin(), norm.end(), 0.0f);
    const ParameterBlock& norm_block = job.table().parameter_blocks[5];
    norm[norm_block.tensors[1].offset_bytes / kFloatBytes] = 2e19f;
    const absl::Span<float> weight = job.Slot(BLOCK_KIND_PARAMETERS, 6);
    for (int64_t id = 0; id < options.vocabulary; ++id) {
      weight[id * options.width] = id % 2 == 0 ? 1.5e19f : -1.5e19f;
    }
  });
}

TEST(SkippedBlocksTest, AHugeLearningRateEndsInStepsThatChangeNothing) {
  for (const std::vector<int>& cuts : kPartitions) {
    TinyJob job({}, testing::TempDir());
    job.context().mutable_spec()->mutable_train()->set_learning_rate(1e30);
    job.SetCuts(cuts);
    const auto device = NewTestDevice(kPlenty);
    TaskRunner runner(device.get(), job.pool().AsHostRange());
    job.Prepare();
    job.Init(runner);
    EXPECT_TRUE(std::isfinite(job.Step(runner)));
    const std::vector<std::byte> before = job.State();
    EXPECT_FALSE(std::isfinite(job.Step(runner)));
    EXPECT_TRUE(job.State() == before);
  }
}

TEST(SkippedBlocksTest, OnlyBlocksWithABadGradientAreSkipped) {
  for (bool tied : {true, false}) {
    TinyJob::Options options;
    options.tied = tied;
    std::vector<std::byte> first;
    for (const std::vector<int>& cuts : kPartitions) {
      SCOPED_TRACE(absl::StrCat(cuts.size() + 1, " shards, tied ", tied));
      const BadStep step = RunBadStep(options, cuts, OverflowMiddleGradient);
      EXPECT_TRUE(std::isfinite(step.loss));
      EXPECT_THAT(step.skipped, ElementsAre(3, 2, 0, 1));
      EXPECT_FALSE(step.state == step.state_before);
      if (first.empty()) first = step.state;
      EXPECT_TRUE(step.state == first) << "partitions differ";
    }
  }
}

TEST(SkippedBlocksTest, SkippedBlocksKeepTheirBytesAndOthersLearn) {
  TinyJob job({}, testing::TempDir());
  job.SetCuts({1, 3});
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  job.Step(runner);
  OverflowMiddleGradient(job);
  runner.cache().DropAll();
  const auto kinds = {BLOCK_KIND_PARAMETERS, BLOCK_KIND_OPTIMIZER_STATE};
  std::vector<absl::Span<float>> before;
  for (int block = 0; block < 6; ++block) {
    for (auto kind : kinds) before.push_back(job.Slot(kind, block));
  }
  job.Step(runner);
  auto old = before.begin();
  for (int block = 0; block < 6; ++block) {
    for (auto kind : kinds) {
      const absl::Span<float> now = job.Slot(kind, block);
      EXPECT_NE(now.data(), old->data()) << "a version of its own";
      EXPECT_EQ(now == *old, block < 4) << block;
      EXPECT_THAT(now, Each(testing::Truly([](float number) {
                    return std::isfinite(number);
                  })));
      ++old;
    }
  }
}

// The head's part alone is bad, and only in the last of the table's ranges: the
// first ones must not be updated before that is known.
TEST(SkippedBlocksTest, ATableIsSkippedForTheHeadsPartThatWaitsInThePool) {
  TinyJob::Options options;
  options.vocabulary = 20000;
  options.width = 64;
  options.layers = 1;
  ASSERT_GT(options.vocabulary * options.width, kUpdateRangeElements);
  TinyJob job(options, testing::TempDir());
  job.SetCuts({1, 2});
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  const absl::Span<float> table = job.Slot(BLOCK_KIND_PARAMETERS, 0);
  for (int i = 0; i < job.TaskCount(); ++i) {
    const worker::v1::Task task = job.StepTask(i);
    const TaskReport report = job.Run(runner, task);
    ASSERT_FALSE(report.has_error()) << report.ShortDebugString();
    job.Commit(task);
    if (task.kind() == worker::v1::TASK_KIND_TURN) {
      job.Slot(BLOCK_KIND_PARAMETER_GRADIENT,
               0)[options.vocabulary * options.width - 1] = -INFINITY;
    }
    const bool last = i + 1 == job.TaskCount();
    EXPECT_EQ(SkippedBlocks({report}),
              last ? std::vector<int>{0} : std::vector<int>());
  }
  EXPECT_TRUE(job.Slot(BLOCK_KIND_PARAMETERS, 0) == table);
  EXPECT_THAT(job.Slot(BLOCK_KIND_OPTIMIZER_STATE, 0), Each(0.0f))
      << "the state that was read was known to be zero";
}

}  // namespace
}  // namespace hydra
