#include "worker/exec/restore_pass.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using worker::v1::BlockVersion;
using worker::v1::Task;
using worker::v1::TaskReport;

// A job in the middle of its second step, with blocks of every kind, and a
// checkpoint of all of them.
class RestorePassTest : public testing::Test {
 protected:
  explicit RestorePassTest(const TinyJob::Options& options = {},
                           size_t kinds = 5)
      : job_(options, testing::TempDir()),
        device_(NewTestDevice(int64_t{32} << 20)),
        runner_(device_.get(), job_.pool().AsHostRange()),
        directory_(absl::StrCat(
            testing::TempDir(), "/",
            testing::UnitTest::GetInstance()->current_test_info()->name(),
            "/checkpoint-1-inside")) {
    job_.SetCuts({2, 4});
    job_.Prepare();
    job_.Init(runner_);
    job_.Step(runner_);
    for (int i = 0; i < 3; ++i) {
      const Task task = job_.StepTask(i);
      EXPECT_FALSE(job_.Run(runner_, task).has_error());
      job_.Commit(task);
    }
    versions_ = job_.Committed();
    EXPECT_EQ(Kinds(), kinds);
    Write();
  }

  size_t Kinds() const {
    std::set<int> kinds;
    for (const BlockVersion& version : versions_) kinds.insert(version.kind());
    return kinds.size();
  }

  absl::Span<std::byte> Slot(const BlockVersion& version) {
    return job_.pool().Range(version.offset_bytes(), version.size_bytes());
  }

  void Write() {
    std::filesystem::create_directories(
        std::filesystem::path(directory_).parent_path());
    ModelContents contents;
    contents.directory = directory_;
    contents.table = job_.table();
    contents.config_json = job_.context().model_config_json();
    checkpoint::v1::Manifest manifest;
    manifest.set_job_id("1");
    manifest.mutable_position()->set_phase(
        checkpoint::v1::Position::PHASE_TRAIN);
    *manifest.mutable_spec() = job_.context().spec();
    for (const BlockVersion& version : versions_) {
      if (version.kind() == worker::v1::BLOCK_KIND_PARAMETERS &&
          job_.table().parameter_blocks[version.index()].frozen) {
        continue;
      }
      contents.blocks.push_back(
          {BlockKeyOf(version), version.size_bytes(), Slot(version).data()});
    }
    const auto written =
        WriteCheckpoint(contents, manifest, [](size_t) { return true; });
    ASSERT_TRUE(written.ok()) << written.status();
  }

  // Of all blocks, to fresh slots.
  Task RestoreTask() {
    Task task;
    task.set_task_id(1000);
    task.set_kind(worker::v1::TASK_KIND_INIT);
    task.set_restore_dir(directory_);
    for (const BlockVersion& version : versions_) {
      BlockVersion* fresh = task.add_writes();
      *fresh = version;
      fresh->set_version(version.version() + 1000);
      fresh->set_offset_bytes(job_.pool().Allocate(version.size_bytes()));
    }
    return task;
  }

  TinyJob job_;
  const std::unique_ptr<Device> device_;
  TaskRunner runner_;
  const std::string directory_;
  std::vector<BlockVersion> versions_;
};

// No layer hands a gradient of a tied block down.
class RestoreAdaptersTest : public RestorePassTest {
 protected:
  RestoreAdaptersTest() : RestorePassTest(Options(), /*kinds=*/4) {}

  static TinyJob::Options Options() {
    TinyJob::Options options;
    options.lora.emplace().set_r(4);
    return options;
  }
};

class RestoreMastersTest : public RestorePassTest {
 protected:
  RestoreMastersTest() : RestorePassTest(Options()) {}

  static TinyJob::Options Options() {
    TinyJob::Options options;
    options.trained_dtype = hydra::v1::PARAMETER_TYPE_BFLOAT16;
    // There is state all the same.
    options.optimizer = hydra::v1::OPTIMIZER_SGD;
    return options;
  }
};

TEST_F(RestoreMastersTest, MastersComeBackBitForBit) {
  const Task task = RestoreTask();
  const TaskReport report = job_.Run(runner_, task);
  ASSERT_TRUE(report.has_pass()) << report.ShortDebugString();
  for (size_t i = 0; i < versions_.size(); ++i) {
    EXPECT_TRUE(Slot(task.writes(static_cast<int>(i))) == Slot(versions_[i]))
        << versions_[i].ShortDebugString();
  }
}

TEST_F(RestorePassTest, EveryBlockComesBackBitForBit) {
  const Task task = RestoreTask();
  const TaskReport report = job_.Run(runner_, task);
  ASSERT_TRUE(report.has_pass()) << report.ShortDebugString();
  int64_t bytes = 0;
  for (size_t i = 0; i < versions_.size(); ++i) {
    EXPECT_TRUE(Slot(task.writes(static_cast<int>(i))) == Slot(versions_[i]))
        << versions_[i].ShortDebugString();
    bytes += versions_[i].size_bytes();
  }
  EXPECT_EQ(report.cost().demoted_bytes(), bytes);
}

TEST_F(RestoreAdaptersTest, FrozenBlocksComeFromTheModelItself) {
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/adapter_config.json"));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/model.safetensors"));
  const Task task = RestoreTask();
  const TaskReport report = job_.Run(runner_, task);
  ASSERT_TRUE(report.has_pass()) << report.ShortDebugString();
  for (size_t i = 0; i < versions_.size(); ++i) {
    EXPECT_TRUE(Slot(task.writes(static_cast<int>(i))) == Slot(versions_[i]))
        << versions_[i].ShortDebugString();
  }
}

TEST_F(RestorePassTest, AFlippedBitIsDataLoss) {
  const std::string path = directory_ + "/optimizer.safetensors";
  const auto middle =
      static_cast<std::streamoff>(std::filesystem::file_size(path) / 2);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(middle);
  const int byte = file.get();
  file.seekp(middle);
  file.put(static_cast<char>(byte ^ 1));
  file.close();
  ASSERT_TRUE(file.good());

  const TaskReport report = job_.Run(runner_, RestoreTask());
  EXPECT_EQ(report.error().code(),
            static_cast<int>(absl::StatusCode::kDataLoss));
  EXPECT_THAT(report.error().message(),
              AllOf(HasSubstr(path), HasSubstr("transformer.")));
}

TEST_F(RestorePassTest, AMissingCheckpointIsNotFound) {
  Task task = RestoreTask();
  task.set_restore_dir(directory_ + "-lost");
  EXPECT_EQ(job_.Run(runner_, task).error().code(),
            static_cast<int>(absl::StatusCode::kNotFound));
}

TEST_F(RestorePassTest, ABlockOfAnotherModelIsRefused) {
  Task task = RestoreTask();
  BlockVersion* block = task.mutable_writes(0);
  block->set_size_bytes(block->size_bytes() - 64);
  EXPECT_EQ(job_.Run(runner_, task).error().code(),
            static_cast<int>(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace hydra
