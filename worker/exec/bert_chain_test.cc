// Passes over a BERT, whose sequences are taken whole: the same bits however it
// is cut, and a pilot that cuts it.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
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

TinyOutcome Train(const TinyJob::Options& options, const std::vector<int>& cuts,
                  bool overlapped = false) {
  const auto device = NewTestDevice(kPlenty);
  return TrainTiny(options, cuts, device.get(), overlapped);
}

// The parameter: the model's class. Four layers: embedding, two blocks, head.
class BertChainTest : public testing::TestWithParam<std::string> {
 protected:
  static bool Classifies() {
    return GetParam() == "BertForSequenceClassification";
  }

  static TinyJob::Options Options(double dropout, double max_grad_norm) {
    TinyJob::Options options;
    options.config_json = absl::StrCat(R"({
      "model_type": "bert", "vocab_size": 97, "hidden_size": 24,
      "num_hidden_layers": 2, "num_attention_heads": 3,
      "intermediate_size": 50, "max_position_embeddings": 40,
      "num_labels": 5, "architectures": [")",
                                       GetParam(), "\"]}");
    options.context = 24;
    options.dropout = dropout;
    options.max_grad_norm = max_grad_norm;
    options.micro_batches = 3;
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(All, BertChainTest,
                         testing::Values("BertForMaskedLM",
                                         "BertForSequenceClassification"),
                         [](const auto& info) { return info.param; });

TEST_P(BertChainTest, EveryPartitionGivesTheSameBits) {
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

TEST_P(BertChainTest, RoundsGiveTheSameBits) {
  TinyJob::Options options = Options(0.1, 0);
  const TinyOutcome whole = Train(options, {2});
  options.micro_batches_per_round = 1;
  ExpectSame(Train(options, {2}), whole);
}

TEST_P(BertChainTest, FrozenLayersTheirPartsAndAdaptersGiveTheSameBits) {
  TinyJob::Options frozen = Options(0.1, 0);
  frozen.frozen = {"bert.embeddings.*", "bert.encoder.layer.0.*"};
  const TinyOutcome whole = Train(frozen, {});
  ExpectSame(Train(frozen, {2}), whole);
  ExpectSame(Train(frozen, {1, 2, 3}), whole);
  TinyJob::Options in_parts = Options(0.1, 0);
  in_parts.frozen = {"bert.embeddings.LayerNorm.*", "bert.encoder.*.weight",
                     Classifies() ? "bert.pooler.*" : "cls.*.transform.*"};
  const TinyOutcome whole_in_parts = Train(in_parts, {});
  EXPECT_NE(whole_in_parts.losses[0], whole_in_parts.losses[1]);
  ExpectSame(Train(in_parts, {2}), whole_in_parts);
  ExpectSame(Train(in_parts, {1, 2, 3}, /*overlapped=*/true), whole_in_parts);
  TinyJob::Options adapted = Options(0.1, 0);
  adapted.lora.emplace().add_target_modules("all-linear");
  const TinyOutcome whole_adapted = Train(adapted, {});
  EXPECT_NE(whole_adapted.losses[0], whole_adapted.losses[1]);
  ExpectSame(Train(adapted, {1, 2, 3}), whole_adapted);
}

TEST_P(BertChainTest, AnEvaluationCountsItsTargets) {
  TinyJob job(Options(0, 0), testing::TempDir());
  job.SetCuts({2});
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  // Three sequences in a batch: of the sixteen rows, or of 400 words, of which
  // 22 stand in each.
  const int batches = Classifies() ? 6 : 7;
  std::vector<TaskReport> reports;
  for (int shard = 0; shard < 2; ++shard) {
    const worker::v1::Task task =
        job.EvaluateTask(SPLIT_VALIDATION, shard, 0, batches);
    reports.push_back(job.Run(runner, task));
    ASSERT_TRUE(reports.back().has_pass()) << reports.back().DebugString();
    job.Commit(task);
  }
  if (Classifies()) {
    EXPECT_EQ(reports[1].pass().loss_tokens(), 16);
    EXPECT_LE(reports[1].pass().correct(), 16);
  } else {
    // About 15% of 400.
    EXPECT_GT(reports[1].pass().loss_tokens(), 20);
    EXPECT_LT(reports[1].pass().loss_tokens(), 120);
    EXPECT_EQ(reports[1].pass().correct(), 0);
  }
}

TEST_P(BertChainTest, APilotRunsItsPasses) {
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
