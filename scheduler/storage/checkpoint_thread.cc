#include "scheduler/storage/checkpoint_thread.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/checkpoint_writer.h"
#include "common/file/private_places.h"
#include "scheduler/storage/model_contents.h"

namespace hydra {

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

void CheckpointThread::Remove(const CheckpointRemoval& removal) {
  Do([this, removal] {
    const absl::Status removed =
        RemoveCheckpoint(removal.path, WriterOf(removal.path, removal.owner));
    if (!removed.ok() && !absl::IsNotFound(removed)) {
      callbacks_.not_removed(removal.job, removed);
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
    return absl::CancelledError(absl::StrCat(
        request.directory, " was not begun before the server's end"));
  }
  return WriteCheckpoint(ContentsOf(request, *pool_, read_roots_),
                         request.manifest, [&](size_t block) {
                           callbacks_.block_written(request.job, block);
                           return !stopping_;
                         });
}

}  // namespace hydra
