#include "scheduler/storage/checkpoint_thread.h"

#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/checkpoint_writer.h"
#include "common/file/file.h"
#include "scheduler/storage/tokenizer_files.h"

namespace hydra {
namespace {

CheckpointContents ContentsOf(const CheckpointRequest& request,
                              const PoolFile& pool,
                              const std::vector<std::string>& read_roots) {
  CheckpointContents contents;
  contents.directory = request.path;
  contents.table = request.table;
  contents.model_config_json = request.model_config_json;
  contents.copied_files.assign(std::begin(kTokenizerFiles),
                               std::end(kTokenizerFiles));
  contents.source_directory = request.tokenizer_dir;
  contents.real_roots = RealRoots(read_roots);
  contents.manifest = request.manifest;
  for (const auto& [key, version] : request.blocks) {
    CheckpointBlock& block = contents.blocks.emplace_back();
    block.key = key;
    block.size_bytes = version.size_bytes;
    if (version.slot.has_value()) {
      block.bytes =
          pool.Range(version.slot->offset, version.slot->bytes).data();
    }
  }
  return contents;
}

}  // namespace

CheckpointThread::CheckpointThread(const PoolFile* pool,
                                   std::vector<std::string> read_roots,
                                   Callbacks callbacks)
    : pool_(pool),
      read_roots_(std::move(read_roots)),
      callbacks_(std::move(callbacks)) {}

CheckpointThread::~CheckpointThread() { Stop(); }

void CheckpointThread::Write(const CheckpointRequest& request) {
  Do([this, request] { callbacks_.written(request.job, WriteNow(request)); });
}

void CheckpointThread::Remove(JobId job, const std::string& path) {
  Do([this, job, path] {
    const absl::Status removed = RemoveCheckpoint(path);
    if (!removed.ok() && !absl::IsNotFound(removed)) {
      callbacks_.not_removed(job, removed);
    }
  });
}

void CheckpointThread::Do(WorkThread::Work work) {
  thread_.Add(std::move(work));
}

void CheckpointThread::Stop() {
  stopping_ = true;
  thread_.Stop();
}

absl::StatusOr<int64_t> CheckpointThread::WriteNow(
    const CheckpointRequest& request) {
  if (stopping_) {
    return absl::CancelledError(
        absl::StrCat(request.path, " was not begun before the server's end"));
  }
  return WriteCheckpoint(ContentsOf(request, *pool_, read_roots_),
                         [&](size_t block) {
                           callbacks_.block_written(request.job, block);
                           return !stopping_;
                         });
}

}  // namespace hydra
