#include "worker/exec/device_cache.h"

#include <iterator>
#include <limits>
#include <utility>

namespace hydra {
namespace {

constexpr int64_t kNotExpected = std::numeric_limits<int64_t>::max();

}  // namespace

DeviceCache::DeviceCache(DeviceArena* arena) : arena_(arena) {
  arena_->SetReclaim([this](DeviceArena::Reclaimed what) {
    return what == DeviceArena::Reclaimed::kAny ? EvictOne()
                                                : EvictUnexpected();
  });
}

DeviceCache::~DeviceCache() { arena_->SetReclaim({}); }

void DeviceCache::Put(VersionId version, Block block) {
  Drop(version);
  absl::MutexLock lock(&mu_);
  entries_.push_front({version, std::move(block)});
  by_version_[version] = entries_.begin();
}

std::optional<DeviceCache::Block> DeviceCache::Get(VersionId version) {
  absl::MutexLock lock(&mu_);
  const auto found = by_version_.find(version);
  if (found == by_version_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  Block block = found->second->block;
  found->second->block.prefetched = false;
  return block;
}

std::optional<DeviceCache::Block> DeviceCache::Peek(VersionId version) const {
  absl::MutexLock lock(&mu_);
  const auto found = by_version_.find(version);
  if (found == by_version_.end()) return std::nullopt;
  return found->second->block;
}

bool DeviceCache::Contains(VersionId version) const {
  absl::MutexLock lock(&mu_);
  return by_version_.contains(version);
}

void DeviceCache::Drop(VersionId version) {
  absl::MutexLock lock(&mu_);
  const auto found = by_version_.find(version);
  if (found == by_version_.end()) return;
  entries_.erase(found->second);
  by_version_.erase(found);
}

void DeviceCache::DropAll() {
  absl::MutexLock lock(&mu_);
  by_version_.clear();
  entries_.clear();
}

void DeviceCache::Expect(absl::Span<const VersionId> versions) {
  absl::MutexLock lock(&mu_);
  ranks_.clear();
  for (VersionId version : versions) {
    ranks_.emplace(version, static_cast<int64_t>(ranks_.size()));
  }
}

bool DeviceCache::EvictUnexpected() {
  absl::MutexLock lock(&mu_);
  return Evict(kNotExpected);
}

int64_t DeviceCache::version_count() const {
  absl::MutexLock lock(&mu_);
  return static_cast<int64_t>(entries_.size());
}

std::vector<VersionId> DeviceCache::Versions() const {
  absl::MutexLock lock(&mu_);
  std::vector<VersionId> versions;
  versions.reserve(entries_.size());
  for (const Entry& entry : entries_) versions.push_back(entry.version);
  return versions;
}

int64_t DeviceCache::SpareBytes() const {
  absl::MutexLock lock(&mu_);
  int64_t bytes = 0;
  for (const Entry& entry : entries_) {
    // The device holds what is on its way.
    if (entry.block.prefetched || !IsInUse(entry)) {
      bytes += static_cast<int64_t>(entry.block.tensor.storage().nbytes());
    }
  }
  return bytes;
}

bool DeviceCache::IsInUse(const Entry& entry) {
  // A view or an alias counts: it shares the storage.
  return entry.block.tensor.storage().use_count() > 1 ||
         entry.block.tensor.use_count() > 1;
}

int64_t DeviceCache::RankOf(VersionId version) const {
  const auto found = ranks_.find(version);
  return found == ranks_.end() ? kNotExpected : found->second;
}

bool DeviceCache::EvictOne() {
  absl::MutexLock lock(&mu_);
  return Evict(0);
}

bool DeviceCache::Evict(int64_t least) {
  auto chosen = entries_.end();
  int64_t chosen_rank = least - 1;
  for (auto entry = entries_.end(); entry != entries_.begin();) {
    --entry;
    const int64_t rank = RankOf(entry->version);
    if (rank <= chosen_rank || IsInUse(*entry)) continue;
    chosen = entry;
    chosen_rank = rank;
    if (rank == kNotExpected) break;
  }
  if (chosen == entries_.end()) return false;
  by_version_.erase(chosen->version);
  entries_.erase(chosen);
  return true;
}

}  // namespace hydra
