// Passes over a ViT, which is fed examples: the same bits however it is cut,
// and a pilot that cuts it.

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"
#include "worker/exec/testing/tiny_training.h"

namespace hydra {
namespace {

using worker::v1::SPLIT_VALIDATION;
using worker::v1::TaskReport;

constexpr int64_t kPlenty = int64_t{32} << 20;

// Four layers: embedding, two blocks, head.
constexpr char kConfig[] = R"({
  "model_type": "vit", "hidden_size": 24, "num_hidden_layers": 2,
  "num_attention_heads": 3, "intermediate_size": 50, "image_size": [8, 12],
  "patch_size": [4, 3], "num_channels": 2, "num_labels": 5})";

TinyJob::Options Options(double dropout, double max_grad_norm) {
  TinyJob::Options options;
  options.config_json = kConfig;
  options.context = 1;
  options.dropout = dropout;
  options.max_grad_norm = max_grad_norm;
  options.micro_batches = 3;
  return options;
}

TinyOutcome Train(const TinyJob::Options& options, const std::vector<int>& cuts,
                  bool overlapped = false) {
  const auto device = NewTestDevice(kPlenty);
  return TrainTiny(options, cuts, device.get(), overlapped);
}

TEST(VitChainTest, EveryPartitionGivesTheSameBits) {
  for (double max_grad_norm : {0.0, 0.01}) {
    for (double dropout : {0.0, 0.1}) {
      SCOPED_TRACE(testing::Message() << max_grad_norm << " " << dropout);
      const TinyJob::Options options = Options(dropout, max_grad_norm);
      const TinyOutcome whole = Train(options, {});
      EXPECT_NE(whole.losses[0], whole.losses[1]);
      ExpectSame(Train(options, {2}), whole);
      ExpectSame(Train(options, {1, 3}, /*overlapped=*/true), whole);
      ExpectSame(Train(options, {1, 2, 3}), whole);
      ExpectSame(Train(options, {1, 2, 3}, /*overlapped=*/true), whole);
    }
  }
}

TEST(VitChainTest, RoundsGiveTheSameBits) {
  TinyJob::Options options = Options(0.1, 0);
  const TinyOutcome whole = Train(options, {2});
  options.micro_batches_per_round = 1;
  ExpectSame(Train(options, {2}), whole);
}

TEST(VitChainTest, AnEvaluationCountsWhatIsCorrect) {
  TinyJob job(Options(0, 0), testing::TempDir());
  job.SetCuts({2});
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  // The validation split's sixteen examples, three in a batch.
  std::vector<TaskReport> reports;
  for (int shard = 0; shard < 2; ++shard) {
    const worker::v1::Task task =
        job.EvaluateTask(SPLIT_VALIDATION, shard, 0, 6);
    reports.push_back(job.Run(runner, task));
    ASSERT_TRUE(reports.back().has_pass()) << reports.back().DebugString();
    job.Commit(task);
  }
  EXPECT_EQ(reports[0].pass().correct(), 0);
  EXPECT_EQ(reports[1].pass().loss_tokens(), 16);
  EXPECT_GT(reports[1].pass().correct(), 0);
  EXPECT_LT(reports[1].pass().correct(), 16);
}

TEST(VitChainTest, APilotRunsItsPasses) {
  TinyJob job(Options(0.1, 0), testing::TempDir());
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  const TaskReport report = job.Pilot(runner);
  ASSERT_TRUE(report.has_pilot()) << report.DebugString();
  EXPECT_EQ(report.pilot().layers_size(), 4);
}

}  // namespace
}  // namespace hydra
