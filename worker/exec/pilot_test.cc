#include "worker/exec/pilot.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/status/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

using worker::v1::PilotResult;
using worker::v1::Task;
using worker::v1::TaskReport;

std::vector<int> CutsOf(const PilotResult& pilot) {
  return {pilot.cut_points().begin(), pilot.cut_points().end()};
}

// Runs two steps and an evaluation; TinyJob is fatal where a task fails.
void TrainWithItsCuts(TinyJob& job, TaskRunner& runner,
                      const PilotResult& pilot) {
  job.SetCuts(CutsOf(pilot));
  job.Prepare();
  job.Init(runner);
  job.Step(runner);
  job.Step(runner);
  job.Evaluate(runner, worker::v1::SPLIT_VALIDATION);
}

struct SweepCase {
  std::string name;
  int micro_batches;
  double dropout;
  bool tied;
};

class PilotSweepTest : public testing::TestWithParam<SweepCase> {};

TEST_P(PilotSweepTest, WhateverThePilotCutFitsAtEveryLimit) {
  TinyJob::Options options;
  options.micro_batches = GetParam().micro_batches;
  options.dropout = GetParam().dropout;
  options.tied = GetParam().tied;
  options.prefetch_bytes = 4096;
  int refused = 0;
  size_t most_shards = 0;
  size_t fewest_shards = 99;
  for (int64_t kib = 200; kib <= 1600; kib += 25) {
    SCOPED_TRACE(absl::StrCat(kib, " KiB"));
    TinyJob job(options, testing::TempDir());
    const auto device = NewTestDevice(kib << 10);
    TaskRunner runner(device.get(), job.pool().AsHostRange());
    const TaskReport report = job.Pilot(runner);
    if (report.has_error()) {
      ++refused;
      ASSERT_EQ(report.error().code(),
                static_cast<int>(absl::StatusCode::kResourceExhausted));
      EXPECT_GE(report.error().layer(), 0);
      continue;
    }
    ASSERT_EQ(report.pilot().layers_size(), job.table().layer_count());
    TrainWithItsCuts(job, runner, report.pilot());
    const size_t shards = CutsOf(report.pilot()).size() + 1;
    most_shards = std::max(most_shards, shards);
    fewest_shards = std::min(fewest_shards, shards);
  }
  EXPECT_GT(refused, 0);
  EXPECT_GE(most_shards, 3);
  EXPECT_EQ(fewest_shards, 1);
}

INSTANTIATE_TEST_SUITE_P(
    All, PilotSweepTest,
    testing::Values(SweepCase{"One", 1, 0, true},
                    SweepCase{"OneDropout", 1, 0.1, true},
                    SweepCase{"Three", 3, 0, true},
                    SweepCase{"ThreeDropout", 3, 0.1, true},
                    SweepCase{"ThreeUntied", 3, 0.1, false}),
    [](const auto& info) { return info.param.name; });

// What is frozen has no BACKWARD up to the first layer that is trained, no
// gradient and no update.
TEST(PilotTest, WhateverItCutOfAModelWithFrozenBlocksFits) {
  for (const bool has_adapters : {true, false}) {
    for (const int micro_batches : {1, 3}) {
      TinyJob::Options options;
      options.micro_batches = micro_batches;
      options.dropout = 0.1;
      options.prefetch_bytes = 4096;
      if (has_adapters) {
        options.lora.emplace().set_r(4);
        options.lora->set_lora_dropout(0.1);
        options.lora->add_target_modules("all-linear");
      } else {
        options.frozen = {"*.w?e.*", "*.h.[01].*"};
      }
      size_t most_shards = 0;
      size_t fewest_shards = 99;
      for (int64_t kib = 150; kib <= 1200; kib += 75) {
        SCOPED_TRACE(absl::StrCat(kib, " KiB, ", micro_batches,
                                  has_adapters ? " lora" : " frozen"));
        TinyJob job(options, testing::TempDir());
        const auto device = NewTestDevice(kib << 10);
        TaskRunner runner(device.get(), job.pool().AsHostRange());
        const TaskReport report = job.Pilot(runner);
        if (report.has_error()) continue;
        ASSERT_EQ(report.pilot().layers_size(), job.table().layer_count());
        TrainWithItsCuts(job, runner, report.pilot());
        const size_t shards = CutsOf(report.pilot()).size() + 1;
        most_shards = std::max(most_shards, shards);
        fewest_shards = std::min(fewest_shards, shards);
      }
      EXPECT_GE(most_shards, 2);
      EXPECT_EQ(fewest_shards, 1);
    }
  }
}

TEST(PilotTest, LayersThatGradientsDoNotComeToAreTimedByTheirForwards) {
  TinyJob::Options options;
  options.frozen = {"*.w?e.*", "*.h.[01].*"};
  TinyJob job(options, testing::TempDir());
  job.context().mutable_spec()->mutable_partition()->set_shards(
      hydra::v1::SHARD_CHOICE_LONGEST);
  const auto device = NewTestDevice(int64_t{32} << 20);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  const TaskReport report = job.Pilot(runner);
  ASSERT_TRUE(report.has_pilot()) << report.ShortDebugString();
  for (const hydra::v1::LayerProfile& layer : report.pilot().layers()) {
    EXPECT_GT(FromProto(layer.forward()), absl::ZeroDuration());
    EXPECT_EQ(FromProto(layer.backward()) > absl::ZeroDuration(),
              layer.layer() >= 3)
        << layer.layer();
  }
}

// Memory is scattered most where an update's ranges are as large as the table,
// and the embedding keeps a part of every micro-batch among them.
TEST(PilotTest, ALargeTokenTableAndManyMicroBatchesFitWhereThePilotSaysSo) {
  TinyJob::Options options;
  options.vocabulary = 4000;
  options.width = 128;
  options.layers = 2;
  options.context = 40;
  options.sequences = 4;
  options.micro_batches = 3;
  options.dropout = 0.1;
  int fitted = 0;
  for (int64_t kib = 11000; kib <= 16000; kib += 250) {
    SCOPED_TRACE(absl::StrCat(kib, " KiB"));
    TinyJob job(options, testing::TempDir());
    const auto device = NewTestDevice(kib << 10);
    TaskRunner runner(device.get(), job.pool().AsHostRange());
    const TaskReport report = job.Pilot(runner);
    if (report.has_error()) continue;
    TrainWithItsCuts(job, runner, report.pilot());
    ++fitted;
  }
  EXPECT_GT(fitted, 10);
}

TEST(PilotTest, PredictsAStepAndMakesTheLongestShardsIfAsked) {
  TinyJob job({}, testing::TempDir());
  job.context().mutable_spec()->mutable_partition()->set_shards(
      hydra::v1::SHARD_CHOICE_LONGEST);
  const auto device = NewTestDevice(700 << 10);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  const TaskReport longest = job.Pilot(runner);
  ASSERT_TRUE(longest.has_pilot()) << longest.ShortDebugString();
  EXPECT_EQ(longest.pilot().step().SerializeAsString(),
            longest.pilot().step_of_longest_shards().SerializeAsString());
  EXPECT_GT(FromProto(longest.pilot().step()), absl::ZeroDuration());
  job.context().mutable_spec()->clear_partition();
  const TaskReport fastest = job.Pilot(runner);
  ASSERT_TRUE(fastest.has_pilot()) << fastest.ShortDebugString();
  EXPECT_LE(FromProto(fastest.pilot().step()),
            FromProto(fastest.pilot().step_of_longest_shards()));
  EXPECT_GE(fastest.pilot().cut_points_size(),
            longest.pilot().cut_points_size());
  TrainWithItsCuts(job, runner, fastest.pilot());
}

// Held whole, with its gradient and the logits, the table needs 13 MB.
TEST(PilotTest, ATableThatDoesNotFitIsStreamedAndNoLimitInBetweenIsRefused) {
  for (bool tied : {true, false}) {
    TinyJob::Options options;
    options.vocabulary = 20000;
    options.width = 16;
    options.layers = 2;
    options.context = 40;
    options.sequences = 4;
    options.micro_batches = 2;
    options.tied = tied;
    std::vector<int64_t> limits = {5000, 6000,  7000,  8000,
                                   9000, 11000, 15000, 19000};
    // Where there is just the room for the table, or not.
    for (int64_t kib = 12600; kib < 13800; kib += 60) limits.push_back(kib);
    std::sort(limits.begin(), limits.end());
    int64_t smallest = 0;
    for (int64_t kib : limits) {
      SCOPED_TRACE(absl::StrCat(tied ? "tied, " : "untied, ", kib, " KiB"));
      TinyJob job(options, testing::TempDir());
      const auto device = NewTestDevice(kib << 10);
      TaskRunner runner(device.get(), job.pool().AsHostRange());
      const TaskReport report = job.Pilot(runner);
      if (report.has_error()) {
        EXPECT_EQ(smallest, 0) << "refused, and not with less";
        continue;
      }
      if (smallest == 0) smallest = kib;
      TrainWithItsCuts(job, runner, report.pilot());
    }
    EXPECT_GT(smallest, 0);
    EXPECT_LE(smallest, 8000);
  }
}

TEST(PilotTest, ATableMayBeLargerThanTheDevice) {
  TinyJob::Options options;
  options.vocabulary = 100000;
  options.layers = 2;
  TinyJob job(options, testing::TempDir());
  // Which cut is the fastest may change from run to run; this looks for what
  // fits.
  job.context().mutable_spec()->mutable_partition()->set_shards(
      hydra::v1::SHARD_CHOICE_LONGEST);
  const auto device = NewTestDevice(10 << 20);
  ASSERT_GT(job.table().parameter_blocks[0].size_bytes, 10 << 20);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  const TaskReport report = job.Pilot(runner);
  ASSERT_TRUE(report.has_pilot()) << report.ShortDebugString();
  // The table of a tied head has no place beside its owner; the rest has.
  EXPECT_EQ(CutsOf(report.pilot()), std::vector<int>{3});
}

TEST(PilotTest, MeasuresEveryLayer) {
  TinyJob job({}, testing::TempDir());
  const auto device = NewTestDevice(16 << 20);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  const TaskReport report = job.Pilot(runner);
  ASSERT_TRUE(report.has_pilot()) << report.ShortDebugString();
  EXPECT_EQ(report.pilot().cut_points_size(), 0);
  ASSERT_EQ(report.pilot().layers_size(), 5);
  const char* kinds[] = {"embedding", "block", "block", "block", "head"};
  for (int i = 0; i < 5; ++i) {
    const hydra::v1::LayerProfile& layer = report.pilot().layers(i);
    EXPECT_EQ(layer.layer(), i);
    EXPECT_EQ(layer.kind(), kinds[i]);
    EXPECT_GT(layer.parameter_bytes(), 0);
    EXPECT_GT(layer.peak_bytes(), layer.saved_bytes());
    EXPECT_LT(layer.peak_bytes(), 4 << 20);
    EXPECT_GT(layer.backward().nanos(), 0);
    EXPECT_GT(layer.forward().nanos(), 0);
  }
  EXPECT_GT(report.pilot().layers(1).saved_bytes(),
            job.table().BoundaryBytes(1, 2, 24));
}

// A shard of the head alone runs a forward only when it evaluates.
TEST(PilotTest, AHeadThatIsAShardOfItsOwnHasAForwardTime) {
  TinyJob::Options options;
  options.vocabulary = 4000;
  TinyJob job(options, testing::TempDir());
  int heads_alone = 0;
  for (int64_t kib = 1500; kib <= 3000; kib += 25) {
    const auto device = NewTestDevice(kib << 10);
    TaskRunner runner(device.get(), job.pool().AsHostRange());
    const TaskReport report = job.Pilot(runner);
    if (report.has_error()) continue;
    EXPECT_GT(report.pilot().layers(4).forward().nanos(), 0) << kib;
    const auto& cuts = report.pilot().cut_points();
    if (!cuts.empty() && *cuts.rbegin() == 4) ++heads_alone;
  }
  EXPECT_GT(heads_alone, 0);
}

TEST(PilotTest, RunsNoMoreMicroBatchesThanThree) {
  TinyJob::Options options;
  options.micro_batches = 3;
  TinyJob three(options, testing::TempDir());
  options.micro_batches = 4096;
  TinyJob many(options, testing::TempDir());
  for (TinyJob* job : {&three, &many}) {
    const auto device = NewTestDevice(16 << 20);
    TaskRunner runner(device.get(), job->pool().AsHostRange());
    ASSERT_TRUE(job->Pilot(runner).has_pilot());
  }
  EXPECT_EQ(many.control().progress(), three.control().progress());
}

TEST(PilotTest, CanBeStopped) {
  TinyJob job({}, testing::TempDir());
  const auto device = NewTestDevice(16 << 20);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  worker::v1::Task task;
  task.set_kind(worker::v1::TASK_KIND_PILOT);
  TaskControl control;
  control.Stop();
  const TaskReport report = runner.Run(task, job.context(), job.log(), control);
  EXPECT_EQ(report.error().code(),
            static_cast<int>(absl::StatusCode::kAborted));
}

TEST(PilotTest, LeavesTheDeviceAsItFoundIt) {
  TinyJob job({}, testing::TempDir());
  const auto device = NewTestDevice(1 << 20);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  ASSERT_TRUE(job.Pilot(runner).has_pilot());
  EXPECT_EQ(device->arena().used_bytes(), 0);
}

TEST(PilotTest, RoomForPrefetchingMakesShardsShorter) {
  TinyJob::Options options;
  TinyJob plain(options, testing::TempDir());
  options.prefetch_bytes = 450 << 10;
  TinyJob prefetching(options, testing::TempDir());
  const auto device = NewTestDevice(900 << 10);
  TaskRunner runner(device.get(), plain.pool().AsHostRange());
  const TaskReport without = plain.Pilot(runner);
  const TaskReport with = prefetching.Pilot(runner);
  ASSERT_TRUE(without.has_pilot() && with.has_pilot());
  EXPECT_GT(with.pilot().cut_points_size(), without.pilot().cut_points_size());
}

TEST(PilotTest, ALayerThatDoesNotFitAloneIsNamed) {
  TinyJob job({}, testing::TempDir());
  const auto device = NewTestDevice(200 << 10);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  const TaskReport report = job.Pilot(runner);
  ASSERT_TRUE(report.has_error());
  EXPECT_EQ(report.error().layer(), 1);
  EXPECT_THAT(report.error().message(),
              testing::HasSubstr(
                  "layer 1 (block) needs more than the device's 204800 bytes"));
}

TEST(PilotTest, ABatchFarLargerThanTheDeviceIsRefusedBeforeItIsMade) {
  TinyJob job({}, testing::TempDir());
  hydra::v1::JobSpec& spec = *job.context().mutable_spec();
  // 8 TiB of tokens.
  spec.mutable_train()->set_per_device_train_batch_size(1 << 30);
  spec.mutable_train()->set_context_length(1024);
  const auto device = NewTestDevice(1 << 20);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  const TaskReport report = job.Pilot(runner);
  EXPECT_EQ(report.error().code(),
            static_cast<int>(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(report.error().message(),
              testing::HasSubstr("the device has 1048576"));
}

TEST(PilotTest, LargerEvaluationBatchesFitTooByShorterShards) {
  TinyJob::Options options;
  options.evaluation_sequences = 12;
  TinyJob job(options, testing::TempDir());
  const auto device = NewTestDevice(1 << 20);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  const TaskReport report = job.Pilot(runner);
  ASSERT_TRUE(report.has_pilot()) << report.ShortDebugString();
  TrainWithItsCuts(job, runner, report.pilot());
}

}  // namespace
}  // namespace hydra
