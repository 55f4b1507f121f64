#include "scheduler/storage/checkpoint_thread.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/storage/saved_model.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class CheckpointThreadTest : public testing::Test {
 protected:
  // `after_block` is called when a block is written.
  void Start(std::function<void(size_t)> after_block) {
    CheckpointThread::Callbacks callbacks;
    callbacks.block_written = [after_block](JobId, size_t block) {
      after_block(block);
    };
    callbacks.written = [this](JobId, const absl::StatusOr<int64_t>& bytes) {
      results_.push_back(bytes.status().code());
    };
    callbacks.not_removed = [this](JobId job, const absl::Status& why) {
      EXPECT_EQ(job, JobId(7));
      results_.push_back(why.code());
    };
    thread_.emplace(&model_.pool(), std::vector<std::string>(),
                    std::move(callbacks));
  }

  // Whether Stop() has begun. Call while the thread is busy.
  bool DropsWork() {
    const auto token = std::make_shared<int>();
    thread_->Do([token] {});
    return token.use_count() == 1;
  }

  SavedModel model_;
  std::vector<absl::StatusCode> results_;
  std::optional<CheckpointThread> thread_;
};

TEST_F(CheckpointThreadTest, WritesCheckpointsAndTheirFolders) {
  model_.checkpoint.directory = model_.PathOf("out/checkpoints/checkpoint-1");
  std::vector<size_t> blocks;
  absl::Notification all_blocks;
  Start([&](size_t block) {
    blocks.push_back(block);
    if (blocks.size() == model_.checkpoint.blocks.size()) all_blocks.Notify();
  });
  thread_->Write(model_.checkpoint);
  all_blocks.WaitForNotification();
  absl::Notification written;
  thread_->Do([&] { written.Notify(); });
  written.WaitForNotification();
  EXPECT_THAT(results_, ElementsAre(absl::StatusCode::kOk));
  EXPECT_EQ(ListCheckpoints(model_.PathOf("out/checkpoints"))->size(), 1);
  EXPECT_TRUE(fs::exists(model_.checkpoint.directory + "/vocab.json"));
}

TEST_F(CheckpointThreadTest, SaysWhichCheckpointsItCouldNotRemove) {
  Start([](size_t) {});
  fs::create_directories(model_.PathOf("another/checkpoint-1"));
  fs::create_directory_symlink("another", model_.PathOf("link"));
  thread_->Remove({JobId(7), model_.PathOf("link/checkpoint-1"), std::nullopt});
  thread_->Remove(
      {JobId(7), model_.PathOf("another/checkpoint-2"), std::nullopt});
  thread_->Stop();
  EXPECT_THAT(results_, ElementsAre(absl::StatusCode::kFailedPrecondition));
  EXPECT_TRUE(fs::exists(model_.PathOf("another/checkpoint-1")));
}

TEST_F(CheckpointThreadTest, StopBreaksOffWritingButNotRemoving) {
  absl::Notification first_block;
  absl::Notification go_on;
  int blocks = 0;
  Start([&](size_t) {
    ++blocks;
    first_block.Notify();
    go_on.WaitForNotification();
  });
  const std::string older = model_.PathOf("checkpoint-0");
  fs::create_directory(older);
  thread_->Write(model_.checkpoint);
  thread_->Write(model_.checkpoint);
  thread_->Remove({JobId(7), older, std::nullopt});
  first_block.WaitForNotification();
  std::thread stopper([&] { thread_->Stop(); });
  while (!DropsWork()) std::this_thread::yield();
  go_on.Notify();
  stopper.join();
  thread_->Write(model_.checkpoint);
  thread_->Stop();
  EXPECT_EQ(blocks, 1);
  EXPECT_THAT(results_, ElementsAre(absl::StatusCode::kCancelled,
                                    absl::StatusCode::kCancelled));
  EXPECT_THAT(model_.folder().Names(),
              ElementsAre("model", "pool", "tokenizer"));
}

}  // namespace
}  // namespace hydra
