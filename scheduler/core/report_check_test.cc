#include "scheduler/core/report_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "common/model/gpt2_table.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;
using ::testing::HasSubstr;

class ReportCheckTest : public ::testing::Test {
 protected:
  ReportCheckTest() {
    Gpt2Config config;
    config.vocab_size = 10;
    config.n_positions = 4;
    config.n_embd = 4;
    config.n_layer = 2;
    config.n_head = 1;
    config.n_inner = 16;
    shape_.table = BuildGpt2Table(config);
    report_.set_task_id(7);
  }

  std::string Check(wv1::TaskKind kind) const {
    ChainTask task;
    task.kind = kind;
    task.layers = {0, shape_.table->layer_count()};
    return std::string(CheckReport(shape_, task, report_).message());
  }

  JobShape shape_;
  wv1::TaskReport report_;
};

TEST_F(ReportCheckTest, ResultsOfTheTasksKindPass) {
  report_.mutable_prepare()->add_splits()->set_split(wv1::SPLIT_TRAIN);
  EXPECT_EQ(Check(wv1::TASK_KIND_PREPARE), "");
  report_.mutable_pilot()->add_cut_points(1);
  report_.mutable_pilot()->add_cut_points(3);
  EXPECT_EQ(Check(wv1::TASK_KIND_PILOT), "");
  report_.mutable_pass();
  EXPECT_EQ(Check(wv1::TASK_KIND_FORWARD), "");
  report_.mutable_pass()->set_loss_tokens(4);
  EXPECT_EQ(Check(wv1::TASK_KIND_TURN), "");
  report_.mutable_error()->set_code(13);
  EXPECT_EQ(Check(wv1::TASK_KIND_TURN), "");
}

TEST_F(ReportCheckTest, AResultOfAnotherKindIsRefused) {
  EXPECT_THAT(Check(wv1::TASK_KIND_TURN), HasSubstr("TASK_KIND_TURN"));
  report_.mutable_pass()->set_loss_tokens(4);
  EXPECT_THAT(Check(wv1::TASK_KIND_PREPARE), HasSubstr("task 7"));
  report_.mutable_error();
  EXPECT_THAT(Check(wv1::TASK_KIND_TURN), HasSubstr("code OK"));
}

TEST_F(ReportCheckTest, NumbersThatCannotBeAreRefused) {
  report_.mutable_pass();
  EXPECT_THAT(Check(wv1::TASK_KIND_TURN), HasSubstr("losses of 0 tokens"));
  report_.mutable_pass()->set_loss_tokens(4);
  report_.mutable_cost()->mutable_wall()->set_seconds(-1);
  EXPECT_THAT(Check(wv1::TASK_KIND_TURN), HasSubstr("took -1s"));
  report_.clear_cost();
  report_.mutable_prepare();
  EXPECT_THAT(Check(wv1::TASK_KIND_PREPARE), HasSubstr("no training split"));
  report_.mutable_prepare()->add_splits()->set_token_count(-5);
  EXPECT_THAT(Check(wv1::TASK_KIND_PREPARE), HasSubstr("-5 tokens"));
}

TEST_F(ReportCheckTest, AnUpdateOfAScaledLossSaysWhetherItOverflowed) {
  report_.mutable_pass();
  EXPECT_EQ(Check(wv1::TASK_KIND_UPDATE), "");
  shape_.scales_loss = true;
  EXPECT_THAT(Check(wv1::TASK_KIND_UPDATE), HasSubstr("no norm of gradients"));
  EXPECT_EQ(Check(wv1::TASK_KIND_BACKWARD), "");
  report_.mutable_pass()->set_grad_norm(
      std::numeric_limits<double>::infinity());
  EXPECT_EQ(Check(wv1::TASK_KIND_UPDATE), "");
}

TEST_F(ReportCheckTest, BatchesOfWhichNothingIsTrainedOnHaveTheLossOfNone) {
  ChainTask task;
  task.kind = wv1::TASK_KIND_TURN;
  task.layers = {0, shape_.table->layer_count()};
  task.last_micro_batch = 2;
  report_.mutable_pass()->add_batch_loss_sums(0);
  EXPECT_FALSE(CheckReport(shape_, task, report_).ok());
  report_.mutable_pass()->add_batch_loss_sums(0);
  EXPECT_TRUE(CheckReport(shape_, task, report_).ok());
}

TEST_F(ReportCheckTest, CutsThatMakeNoShardsAreRefused) {
  for (const std::vector<int>& cuts :
       {std::vector<int>{0}, {-1}, {4}, {2, 2}, {3, 1}, {1'000'000}}) {
    report_.mutable_pilot()->mutable_cut_points()->Assign(cuts.begin(),
                                                          cuts.end());
    EXPECT_THAT(Check(wv1::TASK_KIND_PILOT), HasSubstr("cuts before layer"));
  }
  report_.mutable_pilot()->clear_cut_points();
  for (int i = 0; i < 5; ++i) report_.mutable_pilot()->add_layers();
  EXPECT_THAT(Check(wv1::TASK_KIND_PILOT), HasSubstr("no profile of layer 4"));
}

}  // namespace
}  // namespace hydra
