#include "worker/exec/prefetcher.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "common/ids/ids.h"

namespace hydra {

using worker::v1::BlockVersion;

Prefetcher::Prefetcher(BlockIo* io, DeviceCache* cache,
                       const worker::v1::Task& task,
                       std::vector<BlockVersion> reads, NextReads next,
                       int64_t room_bytes)
    : io_(io),
      cache_(cache),
      task_(task),
      next_(std::move(next)),
      own_(std::move(reads)),
      room_bytes_(room_bytes) {
  Expect();
}

Prefetcher::~Prefetcher() { cache_->Expect({}); }

void Prefetcher::FetchOwn() {
  while (own_fetched_ < own_.size() && io_->Prefetch(own_[own_fetched_])) {
    ++own_fetched_;
  }
}

void Prefetcher::FetchNext(int64_t taken_bytes) {
  FetchOwn();
  if (own_fetched_ < own_.size()) return;
  if (following_.empty()) AskForNext();
  while (following_fetched_ < following_.size()) {
    const BlockVersion& next = following_[following_fetched_];
    const int64_t bytes = following_bytes_ + next.size_bytes();
    if (bytes > room_bytes_ - taken_bytes || !io_->Prefetch(next)) return;
    following_bytes_ = bytes;
    ++following_fetched_;
  }
}

void Prefetcher::AskForNext() {
  if (!next_) return;
  absl::flat_hash_set<uint64_t> made;
  for (const BlockVersion& write : task_.writes()) made.insert(write.version());
  for (BlockVersion& read : next_()) {
    if (!made.contains(read.version())) following_.push_back(std::move(read));
  }
  if (!following_.empty()) Expect();
}

void Prefetcher::Expect() {
  std::vector<VersionId> versions;
  for (const auto* reads : {&own_, &following_}) {
    for (const BlockVersion& read : *reads) {
      versions.push_back(VersionId(read.version()));
    }
  }
  cache_->Expect(versions);
}

}  // namespace hydra
