// Whole tasks on a device that copies as late as it may. Once a task's report
// is there, its host memory is freed or given to others, so no copy may be left
// by then, however the task ended. That sources stay until they are read is
// looked after by the device itself.

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/device/testing/late_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

using worker::v1::SPLIT_VALIDATION;
using worker::v1::Task;
using worker::v1::TaskReport;

constexpr int64_t kPlenty = int64_t{32} << 20;

absl::StatusCode CodeOf(const TaskReport& report) {
  return static_cast<absl::StatusCode>(report.error().code());
}

// A job of two micro-batches and two shards, after its initialisation.
class LateCopiesTest : public testing::Test {
 protected:
  explicit LateCopiesTest(int64_t limit_bytes = kPlenty)
      : job_(Options(), testing::TempDir()),
        device_(CpuDevice::Create(0, limit_bytes).value()),
        runner_(&device_, [this](int64_t offset, int64_t bytes) {
          if (pool_calls_++ == stop_at_call_) job_.control().Stop();
          return job_.pool().Range(offset, bytes);
        }) {
    job_.SetCuts({2});
    job_.Prepare();
    job_.Init(runner_);
  }

  static TinyJob::Options Options() {
    TinyJob::Options options;
    options.micro_batches = 2;
    return options;
  }

  TaskReport Run(const Task& task) {
    pool_calls_ = 0;
    TaskReport report = job_.Run(runner_, task);
    EXPECT_EQ(device_.outstanding(), 0) << task.ShortDebugString();
    return report;
  }

  void RunAndCommit(const Task& task) {
    const TaskReport report = Run(task);
    ASSERT_TRUE(report.has_pass()) << report.ShortDebugString();
    job_.Commit(task);
  }

  TinyJob job_;
  LateDevice device_;
  // The call of the pool at which the running task is told to stop.
  int stop_at_call_ = -1;
  int pool_calls_ = 0;
  TaskRunner runner_;
};

TEST_F(LateCopiesTest, EndWithTheirTask) {
  for (int i = 0; i < job_.TaskCount(); ++i) RunAndCommit(job_.StepTask(i));
  for (int shard = 0; shard < job_.shard_count(); ++shard) {
    RunAndCommit(job_.EvaluateTask(SPLIT_VALIDATION, shard, 0, 2));
  }
}

TEST_F(LateCopiesTest, EndWithATaskThatFails) {
  RunAndCommit(job_.StepTask(0));
  Task bad = job_.StepTask(1);
  // Its gradient is written after the blocks were updated.
  bad.mutable_writes()->DeleteSubrange(0, 1);
  EXPECT_EQ(CodeOf(Run(bad)), absl::StatusCode::kInternal);
}

TEST_F(LateCopiesTest, EndWithATaskThatIsStopped) {
  RunAndCommit(job_.StepTask(0));
  const Task task = job_.StepTask(1);
  stop_at_call_ = 0;
  for (; CodeOf(Run(task)) == absl::StatusCode::kAborted; ++stop_at_call_) {
    runner_.cache().DropAll();
  }
  EXPECT_GT(stop_at_call_, 10);
}

TEST_F(LateCopiesTest, EndWithATaskThatRunsOutOfMemory) {
  RunAndCommit(job_.StepTask(0));
  const Task task = job_.StepTask(1);
  int refused = 0;
  for (int64_t left = 64 << 10; left < 1 << 20; left += 64 << 10) {
    runner_.cache().DropAll();
    DeviceArena& arena = device_.arena();
    void* taken = arena.Allocate(arena.largest_free_bytes() - left);
    ASSERT_NE(taken, nullptr);
    const TaskReport report = Run(task);
    if (CodeOf(report) == absl::StatusCode::kResourceExhausted) ++refused;
    arena.Free(taken);
  }
  EXPECT_GT(refused, 3);
}

TEST_F(LateCopiesTest, AFailureThatShowsOnlyThereFailsTheTask) {
  const Task task = job_.StepTask(0);
  device_.FailNextCopies();
  const TaskReport failed = Run(task);
  EXPECT_EQ(CodeOf(failed), absl::StatusCode::kInternal);
  EXPECT_THAT(failed.error().message(), testing::HasSubstr("has failed"));
  EXPECT_EQ(runner_.cache().version_count(), 0)
      << "nobody knows what was promoted";
  RunAndCommit(task);
}

TEST_F(LateCopiesTest, AStoppedTaskStaysOneWhereTheDeviceFails) {
  stop_at_call_ = 1;
  device_.FailNextCopies();
  EXPECT_EQ(CodeOf(Run(job_.StepTask(0))), absl::StatusCode::kAborted);
  EXPECT_EQ(runner_.cache().version_count(), 0);
}

// Stops the task when its first shard is found.
class StopsPilot : public LogSink {
 public:
  explicit StopsPilot(TaskControl* control) : control_(control) {}
  void Log(Severity, std::string) override { control_->Stop(); }

 private:
  TaskControl* const control_;
};

// A device on which the job needs several shards.
class LateCopiesOfAPilotTest : public LateCopiesTest {
 protected:
  LateCopiesOfAPilotTest() : LateCopiesTest(450 << 10) {
    task_.set_kind(worker::v1::TASK_KIND_PILOT);
  }

  Task task_;
};

TEST_F(LateCopiesOfAPilotTest, EndWithIt) {
  const TaskReport report = Run(task_);
  ASSERT_TRUE(report.has_pilot()) << report.ShortDebugString();
  EXPECT_GE(report.pilot().cut_points_size(), 1);
}

TEST_F(LateCopiesOfAPilotTest, EndWithOneThatIsStopped) {
  TaskControl control;
  StopsPilot log(&control);
  const TaskReport report = runner_.Run(task_, job_.context(), log, control);
  EXPECT_EQ(CodeOf(report), absl::StatusCode::kAborted);
  EXPECT_EQ(device_.outstanding(), 0);
}

TEST_F(LateCopiesOfAPilotTest, EndWithOneThatFindsTheDeviceTooSmall) {
  DeviceArena& arena = device_.arena();
  void* taken = arena.Allocate(arena.largest_free_bytes() - (200 << 10));
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(CodeOf(Run(task_)), absl::StatusCode::kResourceExhausted);
  arena.Free(taken);
}

}  // namespace
}  // namespace hydra
