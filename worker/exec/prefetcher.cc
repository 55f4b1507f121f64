#include "worker/exec/prefetcher.h"

#include <utility>

namespace hydra {

using worker::v1::BlockVersion;

Prefetcher::Prefetcher(BlockIo* io, DeviceCache* cache,
                       const worker::v1::Task& task,
                       std::vector<BlockVersion> reads, FindComing find_coming,
                       int64_t room_bytes)
    : io_(io),
      cache_(cache),
      find_coming_(std::move(find_coming)),
      room_bytes_(room_bytes) {
  for (BlockVersion& read : reads) own_.push_back({std::move(read)});
  for (const BlockVersion& write : task.writes()) {
    made_.insert(VersionId(write.version()));
  }
  Expect();
  AskForComing();
}

Prefetcher::~Prefetcher() { cache_->Expect({}); }

bool Prefetcher::FetchOwn() {
  for (Read& read : own_) {
    if (read.fetched) continue;
    const BlockIo::Prefetched outcome = io_->Prefetch(read.version);
    if (outcome == BlockIo::Prefetched::kNoRoom) return false;
    read.fetched = outcome == BlockIo::Prefetched::kBegun;
  }
  return true;
}

void Prefetcher::FetchNext(int64_t taken_bytes) {
  if (!FetchOwn()) return;
  AskForComing();
  for (Read& read : coming_) {
    if (read.fetched) continue;
    const int64_t bytes = coming_bytes_ + read.version.size_bytes();
    if (bytes > room_bytes_ - taken_bytes) return;
    const BlockIo::Prefetched outcome = io_->Prefetch(read.version);
    if (outcome == BlockIo::Prefetched::kNoRoom) return;
    if (outcome == BlockIo::Prefetched::kBeingMade) continue;
    coming_bytes_ = bytes;
    read.fetched = true;
  }
}

void Prefetcher::AskForComing() {
  if (!find_coming_) return;
  const int known_before = coming_tasks_;
  while (std::optional<ComingTask> task = find_coming_(coming_tasks_)) {
    ++coming_tasks_;
    for (BlockVersion& read : task->reads) {
      if (made_.contains(VersionId(read.version()))) continue;
      coming_.push_back({std::move(read)});
    }
    made_.insert(task->makes.begin(), task->makes.end());
  }
  if (coming_tasks_ > known_before) Expect();
}

void Prefetcher::Expect() {
  std::vector<VersionId> versions;
  for (const auto* reads : {&own_, &coming_}) {
    for (const Read& read : *reads) {
      versions.push_back(VersionId(read.version.version()));
    }
  }
  cache_->Expect(versions);
}

}  // namespace hydra
