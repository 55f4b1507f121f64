#include "worker/exec/task_runner.h"

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "ATen/ops/full.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/testing/tiny_job.h"
#include "worker/model/optimizer_step.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;
using worker::v1::SPLIT_VALIDATION;
using worker::v1::Task;
using worker::v1::TaskReport;

constexpr int64_t kPlenty = int64_t{32} << 20;

struct Outcome {
  std::vector<double> losses;
  std::vector<std::byte> state;
};

// How a step's tasks follow on each other.
enum class Order { kOneAfterAnother, kOverlapped };

Outcome Train(const TinyJob::Options& options, const std::vector<int>& cuts,
              int64_t limit_bytes, int steps = 2,
              Order order = Order::kOneAfterAnother) {
  TinyJob job(options, testing::TempDir());
  job.SetCuts(cuts);
  const auto device = NewTestDevice(limit_bytes);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  Outcome outcome;
  for (int i = 0; i < steps; ++i) {
    outcome.losses.push_back(order == Order::kOverlapped
                                 ? job.OverlappedStep(runner)
                                 : job.Step(runner));
  }
  job.Finish();
  outcome.losses.push_back(job.Evaluate(runner, SPLIT_VALIDATION));
  outcome.state = job.State();
  return outcome;
}

void ExpectSame(const Outcome& actual, const Outcome& expected) {
  EXPECT_EQ(actual.losses, expected.losses);
  EXPECT_TRUE(actual.state == expected.state) << "parameters or state differ";
  for (double loss : expected.losses) EXPECT_TRUE(std::isfinite(loss));
}

struct ExactnessCase {
  std::string name;
  TinyJob::Options options;
};

std::vector<ExactnessCase> ExactnessCases() {
  std::vector<ExactnessCase> cases;
  for (bool tied : {true, false}) {
    for (double dropout : {0.0, 0.1}) {
      for (int micro_batches : {1, 2}) {
        for (auto [name, optimizer, momentum] :
             {std::tuple("Sgd", hydra::v1::OPTIMIZER_SGD, 0.0),
              std::tuple("Momentum", hydra::v1::OPTIMIZER_SGD, 0.9),
              std::tuple("Adam", hydra::v1::OPTIMIZER_ADAM, 0.0),
              std::tuple("AdamW", hydra::v1::OPTIMIZER_ADAMW, 0.0),
              std::tuple("Lion", hydra::v1::OPTIMIZER_LION, 0.0)}) {
          ExactnessCase test_case;
          test_case.options.tied = tied;
          test_case.options.dropout = dropout;
          test_case.options.micro_batches = micro_batches;
          test_case.options.optimizer = optimizer;
          test_case.options.momentum = momentum;
          test_case.name =
              absl::StrCat(name, tied ? "Tied" : "Untied",
                           dropout > 0 ? "Dropout" : "", micro_batches);
          cases.push_back(test_case);
        }
      }
    }
  }
  for (bool tied : {true, false}) {
    for (auto [name, optimizer] :
         {std::tuple("ClippedSgd", hydra::v1::OPTIMIZER_SGD),
          std::tuple("ClippedAdamW", hydra::v1::OPTIMIZER_ADAMW),
          std::tuple("ClippedAdafactor", hydra::v1::OPTIMIZER_ADAFACTOR)}) {
      ExactnessCase test_case;
      test_case.options.tied = tied;
      test_case.options.dropout = 0.1;
      test_case.options.micro_batches = 2;
      test_case.options.optimizer = optimizer;
      test_case.options.max_grad_norm = 0.5;
      test_case.name = absl::StrCat(name, tied ? "Tied" : "Untied");
      cases.push_back(test_case);
    }
    // Its gradients wait without a norm, too.
    ExactnessCase adafactor;
    adafactor.options.tied = tied;
    adafactor.options.dropout = 0.1;
    adafactor.options.micro_batches = 2;
    adafactor.options.optimizer = hydra::v1::OPTIMIZER_ADAFACTOR;
    adafactor.name = absl::StrCat("Adafactor", tied ? "Tied" : "Untied");
    cases.push_back(adafactor);
    ExactnessCase smoothed;
    smoothed.options.tied = tied;
    smoothed.options.micro_batches = 2;
    smoothed.options.label_smoothing = 0.1;
    smoothed.name = absl::StrCat("Smoothed", tied ? "Tied" : "Untied");
    cases.push_back(smoothed);
  }
  return cases;
}

class ExactnessTest : public testing::TestWithParam<ExactnessCase> {};

TEST_P(ExactnessTest, PartitionsAndLimitsDoNotChangeABit) {
  const TinyJob::Options& options = GetParam().options;
  const Outcome whole = Train(options, {}, kPlenty);
  ExpectSame(Train(options, {2}, kPlenty), whole);
  ExpectSame(Train(options, {1, 4}, kPlenty), whole);
  ExpectSame(Train(options, {1, 2, 3, 4}, kPlenty), whole);
  // Little enough that nothing stays in the cache for long.
  ExpectSame(Train(options, {2}, 1100 << 10), whole);
  ExpectSame(Train(options, {1, 2, 3, 4}, 600 << 10), whole);
}

// On devices with memory of their own; the others update in place.
TEST_P(ExactnessTest, ThePlaceOfUpdatesDoesNotChangeABit) {
  TinyJob::Options options = GetParam().options;
  const Outcome whole = Train(options, {}, kPlenty, /*steps=*/3);
  options.update_place = hydra::v1::UPDATE_PLACE_DEVICE;
  for (Order order : {Order::kOneAfterAnother, Order::kOverlapped}) {
    for (const std::vector<int>& cuts :
         {std::vector<int>{}, {2}, {1, 2, 3, 4}}) {
      ExpectSame(Train(options, cuts, kPlenty, /*steps=*/3, order), whole);
    }
  }
  ExpectSame(Train(options, {2}, 1100 << 10, /*steps=*/3, Order::kOverlapped),
             whole);
}

// What one made is on its way to the host, and what the next one reads on its
// way to the device, while a task runs.
TEST_P(ExactnessTest, TasksThatOverlapDoNotChangeABit) {
  const TinyJob::Options& options = GetParam().options;
  const Outcome whole = Train(options, {}, kPlenty, /*steps=*/3);
  for (const std::vector<int>& cuts : {std::vector<int>{}, {2}, {1, 2, 3, 4}}) {
    for (int64_t limit : {kPlenty, int64_t{1100} << 10}) {
      if (cuts.empty() && limit < kPlenty) continue;
      ExpectSame(Train(options, cuts, limit, /*steps=*/3, Order::kOverlapped),
                 whole);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ExactnessTest,
                         testing::ValuesIn(ExactnessCases()),
                         [](const auto& info) { return info.param.name; });

// Steps that go in rounds of micro-batches, against those that go in one.
std::vector<ExactnessCase> RoundsCases() {
  std::vector<ExactnessCase> cases;
  for (bool tied : {true, false}) {
    for (auto [name, optimizer, max_grad_norm, vocabulary] :
         {std::tuple("Sgd", hydra::v1::OPTIMIZER_SGD, 0.0, 97),
          std::tuple("AdamW", hydra::v1::OPTIMIZER_ADAMW, 0.0, 97),
          // A table that is smaller than what one micro-batch gathers of it.
          std::tuple("SmallTable", hydra::v1::OPTIMIZER_ADAMW, 0.0, 20),
          std::tuple("Clipped", hydra::v1::OPTIMIZER_ADAMW, 0.5, 97),
          std::tuple("Adafactor", hydra::v1::OPTIMIZER_ADAFACTOR, 0.0, 97)}) {
      for (int micro_batches_per_round : {1, 2}) {
        ExactnessCase test_case;
        test_case.options.tied = tied;
        test_case.options.dropout = 0.1;
        test_case.options.vocabulary = vocabulary;
        test_case.options.micro_batches = 3;
        test_case.options.micro_batches_per_round = micro_batches_per_round;
        test_case.options.optimizer = optimizer;
        test_case.options.max_grad_norm = max_grad_norm;
        test_case.name = absl::StrCat(name, tied ? "Tied" : "Untied", "By",
                                      micro_batches_per_round);
        cases.push_back(test_case);
      }
    }
  }
  return cases;
}

class RoundsTest : public testing::TestWithParam<ExactnessCase> {};

TEST_P(RoundsTest, DoNotChangeABit) {
  TinyJob::Options options = GetParam().options;
  options.micro_batches_per_round = 0;
  const Outcome in_one = Train(options, {}, kPlenty);
  options.micro_batches_per_round = GetParam().options.micro_batches_per_round;
  const auto expect_same = [&](const std::vector<int>& cuts,
                               int64_t limit_bytes, Order order) {
    ExpectSame(Train(options, cuts, limit_bytes, /*steps=*/2, order), in_one);
  };
  expect_same({}, kPlenty, Order::kOneAfterAnother);
  expect_same({2}, kPlenty, Order::kOverlapped);
  expect_same({1, 2, 3, 4}, kPlenty, Order::kOneAfterAnother);
  expect_same({1, 2, 3, 4}, kPlenty, Order::kOverlapped);
  // Little enough that nothing stays in the cache for long.
  expect_same({2}, 1100 << 10, Order::kOverlapped);
  options.update_place = hydra::v1::UPDATE_PLACE_DEVICE;
  expect_same({2}, kPlenty, Order::kOneAfterAnother);
  expect_same({1, 2, 3, 4}, kPlenty, Order::kOverlapped);
}

INSTANTIATE_TEST_SUITE_P(All, RoundsTest, testing::ValuesIn(RoundsCases()),
                         [](const auto& info) { return info.param.name; });

TEST(TaskRunnerTest, ATokenTableOfSeveralRangesIsTheSameInRounds) {
  TinyJob::Options options;
  options.vocabulary = 20000;
  options.width = 64;
  options.layers = 1;
  options.micro_batches = 2;
  const Outcome in_one = Train(options, {}, kPlenty, /*steps=*/1);
  options.micro_batches_per_round = 1;
  for (auto place :
       {hydra::v1::UPDATE_PLACE_HOST, hydra::v1::UPDATE_PLACE_DEVICE}) {
    options.update_place = place;
    ExpectSame(Train(options, {1, 2}, kPlenty, /*steps=*/1), in_one);
  }
}

TEST(TaskRunnerTest, TrainingLowersTheLoss) {
  TinyJob::Options options;
  const Outcome outcome = Train(options, {2}, kPlenty, /*steps=*/40);
  EXPECT_NEAR(outcome.losses.front(), std::log(97), 0.3);
  EXPECT_LT(outcome.losses[39], outcome.losses.front() - 0.2);
}

// As where a task that was to be run before the one that fetched went away.
TEST(TaskRunnerTest, WhatWasFetchedBeforeItWasMadeIsNotRead) {
  const TinyJob::Options options;
  const Outcome expected = Train(options, {2}, kPlenty, /*steps=*/1);
  TinyJob job(options, testing::TempDir());
  job.SetCuts({2});
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  for (int i = 0; i < job.TaskCount(); ++i) {
    const Task task = job.StepTask(i);
    for (const BlockVersion& write : task.writes()) {
      runner.cache().Put(VersionId(write.version()),
                         {at::full({write.size_bytes() / kFloatBytes}, 7.0f,
                                   device->torch_device())});
    }
    ASSERT_FALSE(job.Run(runner, task).has_error());
    job.Commit(task);
  }
  EXPECT_EQ(job.Evaluate(runner, SPLIT_VALIDATION), expected.losses.back());
  EXPECT_TRUE(job.State() == expected.state);
}

TEST(TaskRunnerTest, NothingOfABoundarySlotsFormerContentStays) {
  TinyJob::Options options;
  options.sequences = 1;
  options.context = 5;
  options.width = 12;  // 240 bytes in a slot of 256.
  TinyJob job(options, testing::TempDir());
  job.SetCuts({1});
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  const Task forward = job.StepTask(0);
  ASSERT_TRUE(job.Run(runner, forward).has_pass());
  const BlockVersion& boundary = forward.writes(0);
  const absl::Span<std::byte> slot =
      job.pool().Range(boundary.offset_bytes(), boundary.size_bytes());
  ASSERT_EQ(slot.size(), 256);
  EXPECT_THAT(slot.subspan(240), testing::Each(std::byte{0}));
}

TEST(TaskRunnerTest, APartOfAStepsMicroBatchesKeepsTheStepsNumbers) {
  TinyJob::Options options;
  options.micro_batches = 2;
  TinyJob job(options, testing::TempDir());
  job.CutEverywhere();
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  const Task whole = job.StepTask(0);
  ASSERT_TRUE(job.Run(runner, whole).has_pass());
  Task part = job.StepTask(0);
  part.set_first_micro_batch(1);
  part.mutable_writes()->DeleteSubrange(0, 1);
  ASSERT_EQ(part.writes(0).micro_batch(), 1);
  const TaskReport report = job.Run(runner, part);
  ASSERT_TRUE(report.has_pass()) << report.ShortDebugString();
  EXPECT_EQ(job.BytesOf(part.writes(0)), job.BytesOf(whole.writes(1)));
}

TEST(TaskRunnerTest, TokenGradientsOfManyMicroBatchesAreTheSameSummedOrKept) {
  // A table of 20 tokens is smaller than what 8 micro-batches leave.
  TinyJob::Options options;
  options.vocabulary = 20;
  options.micro_batches = 8;
  options.sequences = 1;
  const Outcome whole = Train(options, {}, kPlenty);
  ExpectSame(Train(options, {1, 3}, kPlenty), whole);
}

TEST(TaskRunnerTest, ATokenTableOfSeveralRangesIsTheSameInPartsAndWhole) {
  TinyJob::Options options;
  options.vocabulary = 20000;
  options.width = 64;
  options.layers = 1;
  ASSERT_GT(options.vocabulary * options.width, kUpdateRangeElements);
  const Outcome whole = Train(options, {}, kPlenty, /*steps=*/1);
  ExpectSame(Train(options, {1, 2}, kPlenty, /*steps=*/1), whole);
  ExpectSame(Train(options, {1, 2}, int64_t{24} << 20, /*steps=*/1), whole);
}

TEST(OutOfMemoryTest, IsReportedWithItsLayerAndLeavesTheDeviceEmpty) {
  TinyJob job({}, testing::TempDir());
  const auto device = NewTestDevice(300 << 10);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  const int64_t before = device->arena().used_bytes();
  const TaskReport report = job.Run(runner, job.StepTask(0));
  EXPECT_EQ(report.error().code(),
            static_cast<int>(absl::StatusCode::kResourceExhausted));
  EXPECT_GE(report.error().layer(), 1);
  EXPECT_THAT(report.error().message(), testing::HasSubstr("307200"));
  EXPECT_EQ(runner.cache().version_count(), 0);
  EXPECT_EQ(device->arena().used_bytes(), before);
}

TEST(OutOfMemoryTest, TheNextOneOfItsKindBeginsWithoutTheCache) {
  // What its parameters do not tell: that there is no room.
  TinyJob::Options options;
  options.sequences = 8;
  TinyJob job(options, testing::TempDir());
  const auto device = NewTestDevice(700 << 10);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  auto retries = [&] {
    job.log().lines.clear();
    EXPECT_TRUE(job.Run(runner, job.StepTask(0)).has_error());
    return job.log().lines.size();
  };
  EXPECT_EQ(retries(), 2);
  hydra::v1::TrainSpec& train = *job.context().mutable_spec()->mutable_train();
  train.set_learning_rate(2 * train.learning_rate());
  EXPECT_EQ(retries(), 1) << "of a job that needs the same memory";
  train.set_dropout(0.5 * train.dropout() + 0.1);
  EXPECT_EQ(retries(), 2) << "of one that may need another";
}

// The pool's callback stops the task at every place where a pass touches the
// pool.
TEST(StoppedTaskTest, EndsAtAnyPointAndLeavesNothingBehind) {
  TinyJob::Options options;
  options.micro_batches = 2;
  TinyJob job(options, testing::TempDir());
  const auto device = NewTestDevice(kPlenty);
  int calls = 0;
  int stop_at = -1;
  TaskRunner runner(device.get(), [&, host = job.pool().AsHostRange()](
                                      int64_t offset, int64_t bytes) {
    if (calls++ == stop_at) job.control().Stop();
    return host(offset, bytes);
  });
  job.Prepare();
  job.Init(runner);
  const Task task = job.StepTask(0);
  calls = 0;
  const TaskReport expected = job.Run(runner, task);
  ASSERT_TRUE(expected.has_pass());
  // The last calls belong to the last range of the last update.
  const int last = calls - 4;
  EXPECT_GE(last, 20);
  runner.cache().DropAll();
  const int64_t before = device->arena().used_bytes();
  for (stop_at = 0; stop_at < last; ++stop_at) {
    calls = 0;
    const TaskReport report = job.Run(runner, task);
    EXPECT_EQ(report.error().code(),
              static_cast<int>(absl::StatusCode::kAborted))
        << stop_at;
    for (const BlockVersion& made : task.writes()) {
      EXPECT_FALSE(runner.cache().Get(VersionId(made.version())).has_value());
    }
    runner.cache().DropAll();
    EXPECT_EQ(device->arena().used_bytes(), before) << stop_at;
  }
  stop_at = -1;
  EXPECT_EQ(job.Run(runner, task).pass().loss_sum(),
            expected.pass().loss_sum());
}

TEST(StoppedTaskTest, ProgressRisesWithEachLayerAndMicroBatch) {
  TinyJob::Options options;
  TinyJob one(options, testing::TempDir());
  options.micro_batches = 3;
  TinyJob three(options, testing::TempDir());
  for (TinyJob* job : {&one, &three}) {
    const auto device = NewTestDevice(kPlenty);
    TaskRunner runner(device.get(), job->pool().AsHostRange());
    job->Prepare();
    job->Init(runner);
    EXPECT_GT(job->control().progress(), 5) << "INIT, by tensors";
    EXPECT_TRUE(job->Run(runner, job->StepTask(0)).has_pass());
  }
  EXPECT_GE(one.control().progress(), 10) << "forward and backward of 5 layers";
  EXPECT_EQ(three.control().progress(), one.control().progress() + 2 * 10);
}

// Every amount of memory either suffices, with the same bits, or is refused
// cleanly: wherever in a pass it runs out.
TEST(OutOfMemoryTest, AtAnyPointOfAPassLeavesNothingBehind) {
  TinyJob::Options options;
  options.dropout = 0.1;
  TinyJob job(options, testing::TempDir());
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  const Task task = job.StepTask(0);
  const TaskReport expected = job.Run(runner, task);
  ASSERT_TRUE(expected.has_pass());
  runner.cache().DropAll();
  const int64_t before = device->arena().used_bytes();
  int refused = 0;
  for (int64_t left = 64 << 10; left < 2 << 20; left += 48 << 10) {
    void* taken =
        device->arena().Allocate(device->arena().largest_free_bytes() - left);
    ASSERT_NE(taken, nullptr);
    const TaskReport report = job.Run(runner, task);
    device->arena().Free(taken);
    runner.cache().DropAll();
    EXPECT_EQ(device->arena().used_bytes(), before) << left;
    if (report.has_error()) {
      ++refused;
      EXPECT_EQ(report.error().code(),
                static_cast<int>(absl::StatusCode::kResourceExhausted));
    } else {
      EXPECT_EQ(report.pass().loss_sum(), expected.pass().loss_sum());
    }
  }
  EXPECT_GT(refused, 5);
}

}  // namespace
}  // namespace hydra
