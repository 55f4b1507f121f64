#include "scheduler/core/step_log.h"

#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int64_t kKept = StepLog::kKept;

v1::StepMetrics Step(int64_t number) {
  v1::StepMetrics step;
  step.set_step(number);
  step.set_train_loss(1.0 / (number + 3));
  step.mutable_time()->set_seconds(1'700'000'000 + number);
  step.mutable_time()->set_nanos(123);
  step.mutable_device()->set_nanos(7);
  // Of a job with train.fp16, and the first step overflows.
  step.set_loss_scale(number == 0 ? 0x1p40 : 0x1p39);
  step.set_overflowed(number == 0);
  return step;
}

TEST(StepLogTest, KeepsTheNewestOfAMillion) {
  StepLog log;
  for (int64_t i = 0; i < 1'000'000; ++i) {
    log.Add(Step(i), /*sequence=*/i + 1, /*recorded=*/i);
  }
  EXPECT_GE(log.size(), kKept);
  EXPECT_LT(log.size(), 2 * kKept);
  EXPECT_EQ(log.back().SerializeAsString(), Step(999'999).SerializeAsString());
}

TEST(StepLogTest, KeepsWhatTheDiskMayNotHave) {
  StepLog log;
  for (int64_t i = 0; i < 10 * kKept; ++i) {
    log.Add(Step(i), /*sequence=*/i + 1, /*recorded=*/0);
  }
  EXPECT_EQ(log.size(), 10 * kKept);
  EXPECT_EQ(log.first_step(), 0);
  log.Add(Step(10 * kKept), 10 * kKept + 1, /*recorded=*/10 * kKept);
  EXPECT_GE(log.size(), kKept);
  EXPECT_LT(log.size(), 2 * kKept);
}

TEST(StepLogTest, AStepThatIsAddedAgainIsThereOnce) {
  StepLog log;
  log.Add(Step(0), 1, 0);
  v1::StepMetrics changed = Step(0);
  changed.set_skipped_blocks(4);
  changed.set_grad_norm(0.5);
  log.Add(changed, 2, 0);
  ASSERT_EQ(log.size(), 1);
  EXPECT_EQ(log.back().skipped_blocks(), 4);
  EXPECT_EQ(log.back().grad_norm(), 0.5);
  EXPECT_EQ(log.back().loss_scale(), 0x1p40);
  EXPECT_TRUE(log.back().overflowed());
}

TEST(StepLogTest, TheScaleOfALossIsAbsentWhereThereIsNone) {
  StepLog log;
  v1::StepMetrics step = Step(3);
  step.set_loss_scale(1);
  log.Add(step, 1, 0);
  EXPECT_EQ(log.back().SerializeAsString(), step.SerializeAsString());
  step.clear_loss_scale();
  log.Add(step, 2, 0);
  EXPECT_FALSE(log.back().has_loss_scale());
  EXPECT_FALSE(log.back().overflowed());
}

TEST(StepLogTest, AddsUpTheNewestStepsUntilTheyTookLongEnough) {
  StepLog log;
  for (int64_t i = 0; i < 40; ++i) {
    v1::StepMetrics step = Step(i);
    *step.mutable_device() = ToProto(absl::Seconds(i < 30 ? 100 : 3));
    // The newest is not done.
    if (i == 39) step.clear_device();
    log.Add(step, i + 1, i);
  }
  StepLog::Recent recent = log.NewestFor(absl::Seconds(10));
  EXPECT_EQ(recent.steps, 4);
  EXPECT_EQ(recent.device, absl::Seconds(12));
  recent = log.NewestFor(absl::Seconds(28));
  EXPECT_EQ(recent.steps, 10) << "across pieces, and past a step's beginning";
  EXPECT_EQ(recent.device, absl::Seconds(127));
  EXPECT_EQ(StepLog().NewestFor(absl::Seconds(10)).steps, 0);
}

TEST(StepLogTest, ErasesFromAStepOn) {
  StepLog log;
  log.Assign({Step(3), Step(4), Step(5)});
  log.EraseFrom(4);
  ASSERT_EQ(log.Newest(9).size(), 1);
  EXPECT_EQ(log.Newest(9)[0].step(), 3);
  log.EraseFrom(0);
  EXPECT_TRUE(log.empty());
  log.KeepNewestOnly();
}

TEST(StepLogTest, ACopyStaysAsItIs) {
  StepLog log;
  for (int64_t i = 0; i < kKept; ++i) log.Add(Step(i), i + 1, i);
  const StepLog copy = log;
  log.EraseFrom(kKept / 4);
  v1::StepMetrics changed = Step(kKept / 4);
  changed.set_skipped_blocks(4);
  log.Add(changed, 500, 499);
  ASSERT_EQ(log.size(), kKept / 4 + 1);
  const std::vector<v1::StepMetrics> steps = copy.Newest(kKept);
  ASSERT_EQ(steps.size(), kKept);
  for (int64_t i = 0; i < kKept; ++i) {
    EXPECT_EQ(steps[i].SerializeAsString(), Step(i).SerializeAsString());
  }
}

TEST(StepLogTest, GivesTheNewestInOrder) {
  StepLog log;
  log.Assign({Step(3), Step(4), Step(5)});
  EXPECT_EQ(log.Newest(0).size(), 0);
  ASSERT_EQ(log.Newest(2).size(), 2);
  EXPECT_EQ(log.Newest(2)[0].step(), 4);
  log.KeepNewestOnly();
  EXPECT_EQ(log.first_step(), 5);
}

}  // namespace
}  // namespace hydra
