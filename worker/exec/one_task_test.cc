// What one task reports, and what is left of it once it has ended.

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/status/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;
using worker::v1::SPLIT_VALIDATION;
using worker::v1::Task;
using worker::v1::TaskReport;

constexpr int64_t kPlenty = int64_t{32} << 20;

// A job after its initialisation, with each layer a shard of its own.
class OneTaskTest : public testing::Test {
 protected:
  OneTaskTest()
      : job_({}, testing::TempDir()),
        device_(NewTestDevice(kPlenty)),
        runner_(device_.get(), job_.pool().AsHostRange()) {
    job_.CutEverywhere();
    job_.Prepare();
    job_.Init(runner_);
  }

  int64_t UsedBytes() { return device_->arena().used_bytes(); }

  TaskReport RunAndCommit(const Task& task) {
    TaskReport report = job_.Run(runner_, task);
    EXPECT_FALSE(report.has_error()) << report.ShortDebugString();
    job_.Commit(task);
    return report;
  }

  TinyJob job_;
  const std::unique_ptr<Device> device_;
  TaskRunner runner_;
};

TEST_F(OneTaskTest, CountsWhatItMovesAndWhatItFinds) {
  const TaskReport embedding = RunAndCommit(job_.StepTask(0));
  const int64_t boundary = job_.table().BoundaryBytes(1, 2, 24);
  const int64_t positions = job_.table().parameter_blocks[1].size_bytes;
  EXPECT_EQ(embedding.cost().promoted_bytes(), positions);
  EXPECT_EQ(embedding.cost().demoted_bytes(), boundary);

  // The boundary is still on the device.
  const TaskReport block = RunAndCommit(job_.StepTask(1));
  EXPECT_EQ(block.cost().cached_bytes(), boundary);
  EXPECT_EQ(block.cost().promoted_bytes(),
            job_.table().parameter_blocks[2].size_bytes);
  EXPECT_GT(block.cost().peak_bytes(), boundary);
  EXPECT_GT(block.cost().wall().seconds() + block.cost().wall().nanos(), 0);
  EXPECT_GT(block.cost().compute().nanos(), 0);
}

TEST_F(OneTaskTest, TellsWhenItBeganAndWhatOfItWentIntoCopies) {
  const TaskReport first = RunAndCommit(job_.StepTask(0));
  const TaskReport second = RunAndCommit(job_.StepTask(1));
  EXPECT_GE(FromProto(second.cost().begun()),
            FromProto(first.cost().begun()) + FromProto(first.cost().wall()));
  EXPECT_GT(FromProto(second.cost().copy()), absl::ZeroDuration());
  EXPECT_LE(FromProto(second.cost().copy()), FromProto(second.cost().wall()));
  EXPECT_GE(runner_.copy_wait(),
            FromProto(first.cost().copy()) + FromProto(second.cost().copy()));
}

TEST_F(OneTaskTest, ZeroStateMovesNoBytes) {
  for (int i = 0; i < 5; ++i) RunAndCommit(job_.StepTask(i));
  runner_.cache().DropAll();
  const TaskReport block = RunAndCommit(job_.StepTask(5));
  const int64_t boundary = job_.table().BoundaryBytes(1, 2, 24);
  const int64_t parameters = job_.table().parameter_blocks[4].size_bytes;
  EXPECT_EQ(block.cost().promoted_bytes(), parameters + 2 * boundary);
  // New parameters and two moments, or the gradient that they are made of.
  const int updated = device_->HostMemoryIsDeviceMemory() ? 3 : 1;
  EXPECT_EQ(block.cost().demoted_bytes(), updated * parameters + boundary);
}

TEST_F(OneTaskTest, AFailedTaskLeavesNothingAndCanBeRunAgain) {
  for (int i = 0; i < 5; ++i) RunAndCommit(job_.StepTask(i));
  runner_.cache().DropAll();
  const int64_t before = UsedBytes();

  const Task good = job_.StepTask(5);
  Task bad = good;
  // Its gradient is written after the block was updated.
  bad.mutable_writes()->DeleteSubrange(0, 1);
  ASSERT_EQ(good.writes(0).kind(), worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT);
  const TaskReport failed = job_.Run(runner_, bad);
  ASSERT_TRUE(failed.has_error());
  EXPECT_EQ(failed.error().code(),
            static_cast<int>(absl::StatusCode::kInternal));
  EXPECT_THAT(failed.error().message(), testing::HasSubstr("writes no"));
  EXPECT_EQ(failed.error().layer(), 3);
  for (const BlockVersion& made : bad.writes()) {
    EXPECT_FALSE(runner_.cache().Get(VersionId(made.version())).has_value());
  }
  runner_.cache().DropAll();
  EXPECT_EQ(UsedBytes(), before);

  RunAndCommit(good);
}

TEST_F(OneTaskTest, AnUpdateNeverLeavesItsParametersUnderTheOldVersion) {
  for (int i = 0; i < 5; ++i) RunAndCommit(job_.StepTask(i));
  const Task task = job_.StepTask(5);
  RunAndCommit(task);
  for (const BlockVersion& read : task.reads()) {
    if (read.kind() != worker::v1::BLOCK_KIND_PARAMETERS) continue;
    EXPECT_FALSE(runner_.cache().Get(VersionId(read.version())).has_value());
  }
}

TEST_F(OneTaskTest, AnyExceptionFailsTheTaskAtItsLayer) {
  RunAndCommit(job_.StepTask(0));
  RunAndCommit(job_.StepTask(1));
  TaskRunner runner(device_.get(),
                    [](int64_t, int64_t) -> absl::Span<std::byte> {
                      throw std::runtime_error("the pool is on fire");
                    });
  const TaskReport failed = job_.Run(runner, job_.StepTask(2));
  EXPECT_EQ(failed.error().code(),
            static_cast<int>(absl::StatusCode::kInternal));
  EXPECT_EQ(failed.error().message(), "the pool is on fire");
  EXPECT_EQ(failed.error().layer(), -1) << "its input came before any layer";

  const TaskReport first = job_.Run(runner, job_.StepTask(0));
  EXPECT_EQ(first.error().message(), "the pool is on fire");
  EXPECT_EQ(first.error().layer(), 0);
}

TEST_F(OneTaskTest, UnknownLayersAreRefused) {
  Task task = job_.StepTask(0);
  task.set_last_layer(17);
  const TaskReport report = job_.Run(runner_, task);
  EXPECT_EQ(report.error().code(),
            static_cast<int>(absl::StatusCode::kInternal));
}

TEST_F(OneTaskTest, AnUnpreparedSplitIsRefused) {
  const TaskReport report =
      job_.Run(runner_, job_.EvaluateTask(worker::v1::SPLIT_TEST, 0, 0, 1));
  EXPECT_EQ(report.error().code(),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(report.error().layer(), -1);
}

TEST_F(OneTaskTest, ATokenThatIsNoneOfTheModelsIsRefused) {
  TinyJob::Options options;
  options.vocabulary = 1000;
  const std::string directory = testing::TempDir() + "/more_tokens";
  std::filesystem::create_directories(directory);
  TinyJob other(options, directory);
  other.context().set_job_id(2);
  other.Prepare();
  *job_.context().mutable_splits() = other.context().splits();
  const TaskReport report =
      job_.Run(runner_, job_.EvaluateTask(SPLIT_VALIDATION, 0, 0, 1));
  EXPECT_EQ(report.error().code(),
            static_cast<int>(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(
      report.error().message(),
      testing::AllOf(testing::HasSubstr(other.context().splits(1).token_file()),
                     testing::HasSubstr(": position 0 of window 0 has the "
                                        "token id 348; the model's vocab_size "
                                        "is 97")));
}

TEST_F(OneTaskTest, AnEvaluationsVisitCountsItsBatchesFromItsFirst) {
  const Task whole = job_.EvaluateTask(SPLIT_VALIDATION, 0, 0, 2);
  ASSERT_TRUE(job_.Run(runner_, whole).has_pass());
  const Task later = job_.EvaluateTask(SPLIT_VALIDATION, 0, 1, 2);
  ASSERT_EQ(later.writes(0).micro_batch(), 0);
  const TaskReport report = job_.Run(runner_, later);
  ASSERT_TRUE(report.has_pass()) << report.ShortDebugString();
  EXPECT_EQ(job_.BytesOf(later.writes(0)), job_.BytesOf(whole.writes(1)));
}

TEST_F(OneTaskTest, ABatchBehindTheSplitsEndIsRefused) {
  const TaskReport report =
      job_.Run(runner_, job_.EvaluateTask(SPLIT_VALIDATION, 0, 0, 100));
  EXPECT_EQ(report.error().code(),
            static_cast<int>(absl::StatusCode::kOutOfRange));
}

TEST_F(OneTaskTest, NoopDoesNothingAtOnce) {
  Task task;
  task.set_task_id(9);
  task.set_kind(worker::v1::TASK_KIND_NOOP);
  const TaskReport report = job_.Run(runner_, task);
  EXPECT_EQ(report.task_id(), 9);
  EXPECT_TRUE(report.has_pass());
}

}  // namespace
}  // namespace hydra
