#include "scheduler/service/checkpoint_thread.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/checkpoint_writer.h"
#include "glog/logging.h"
#include "scheduler/service/tokenizer_files.h"

namespace hydra {
namespace {

CheckpointContents ContentsOf(const CheckpointRequest& request,
                              const PoolFile& pool) {
  CheckpointContents contents;
  contents.directory = request.path;
  contents.table = request.table;
  contents.model_config_json = request.model_config_json;
  for (const char* name : kTokenizerFiles) {
    contents.copied_files.emplace_back(
        name, absl::StrCat(request.tokenizer_dir, "/", name));
  }
  contents.manifest = request.manifest;
  for (const auto& [key, version] : request.blocks) {
    CheckpointBlock& block = contents.blocks.emplace_back();
    block.kind = key.kind;
    block.index = key.index;
    block.micro_batch = key.micro_batch;
    block.size_bytes = version.size_bytes;
    if (version.slot.has_value()) {
      block.bytes =
          pool.Range(version.slot->offset, version.slot->bytes).data();
    }
  }
  return contents;
}

}  // namespace

CheckpointThread::CheckpointThread(const PoolFile* pool, Callbacks callbacks)
    : pool_(pool),
      callbacks_(std::move(callbacks)),
      thread_([this] { Loop(); }) {}

CheckpointThread::~CheckpointThread() {
  stopping_ = true;
  {
    absl::MutexLock lock(&mu_);
    ended_ = true;
  }
  thread_.join();
}

void CheckpointThread::Write(const CheckpointRequest& request) {
  Add([this, request] { callbacks_.written(request.job, WriteNow(request)); });
}

void CheckpointThread::Remove(const std::string& path) {
  Add([path] {
    const absl::Status removed = RemoveCheckpoint(path);
    if (!removed.ok() && !absl::IsNotFound(removed)) {
      LOG(WARNING) << removed.message();
    }
  });
}

absl::StatusOr<int64_t> CheckpointThread::WriteNow(
    const CheckpointRequest& request) {
  const std::string folder =
      std::filesystem::path(request.path).parent_path().string();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("cannot make ", folder));
  }
  return WriteCheckpoint(ContentsOf(request, *pool_), [&](size_t block) {
    callbacks_.block_written(request.job, block);
    return !stopping_;
  });
}

void CheckpointThread::Add(Work work) {
  absl::MutexLock lock(&mu_);
  work_.push_back(std::move(work));
}

void CheckpointThread::Loop() {
  while (true) {
    Work work;
    {
      absl::MutexLock lock(&mu_);
      auto wake = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
        return ended_ || !work_.empty();
      };
      mu_.Await(absl::Condition(&wake));
      if (ended_) return;
      work = std::move(work_.front());
      work_.pop_front();
    }
    work();
  }
}

}  // namespace hydra
