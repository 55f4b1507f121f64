#include "worker/exec/device_cache.h"

#include <iterator>
#include <utility>

namespace hydra {

DeviceCache::DeviceCache(DeviceArena* arena) : arena_(arena) {
  arena_->SetReclaim([this](int64_t) { return EvictOne(); });
}

DeviceCache::~DeviceCache() { arena_->SetReclaim({}); }

void DeviceCache::Put(VersionId version, at::Tensor tensor) {
  Drop(version);
  absl::MutexLock lock(&mu_);
  entries_.push_front({version, std::move(tensor)});
  by_version_[version] = entries_.begin();
}

std::optional<at::Tensor> DeviceCache::Get(VersionId version) {
  absl::MutexLock lock(&mu_);
  const auto found = by_version_.find(version);
  if (found == by_version_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->tensor;
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

int64_t DeviceCache::version_count() const {
  absl::MutexLock lock(&mu_);
  return static_cast<int64_t>(entries_.size());
}

bool DeviceCache::EvictOne() {
  absl::MutexLock lock(&mu_);
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    // A view or an alias counts: it shares the storage.
    if (entry->tensor.storage().use_count() > 1 ||
        entry->tensor.use_count() > 1) {
      continue;
    }
    by_version_.erase(entry->version);
    entries_.erase(std::next(entry).base());
    return true;
  }
  return false;
}

}  // namespace hydra
