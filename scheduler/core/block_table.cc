#include "scheduler/core/block_table.h"

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "glog/logging.h"

namespace hydra {

BlockTable::BlockTable(int64_t first_byte, int64_t size_bytes,
                       uint64_t last_version)
    : slots_(first_byte, first_byte + size_bytes),
      last_version_(last_version) {}

std::optional<Version> BlockTable::Make(int64_t size_bytes) {
  std::optional<Slot> slot = slots_.Allocate(size_bytes);
  if (!slot.has_value()) return std::nullopt;
  return Version{VersionId(++last_version_), size_bytes, slot};
}

void BlockTable::Commit(JobId job, const BlockKey& key,
                        const Version& version) {
  Version& current = jobs_[job][key];
  Discard(current);
  current = version;
}

void BlockTable::CommitZero(JobId job, const BlockKey& key,
                            int64_t size_bytes) {
  Commit(job, key,
         Version{VersionId(++last_version_), size_bytes, std::nullopt});
}

void BlockTable::Share(const Version& version, JobId job, const BlockKey& key) {
  CHECK(jobs_[job].emplace(key, version).second) << "the block has a version";
  ++holders_.emplace(version.id, 1).first->second;
}

void BlockTable::Discard(const Version& version) {
  if (!version.slot.has_value()) return;
  if (auto held = holders_.find(version.id); held != holders_.end()) {
    if (--held->second == 1) holders_.erase(held);
    return;
  }
  auto pin = pins_.find(version.id);
  if (pin == pins_.end()) {
    slots_.Free(*version.slot);
    return;
  }
  pin->second.replaced = true;
  kept_bytes_ += version.size_bytes;
}

bool BlockTable::AdoptFresh(const Version& version) {
  return !version.slot.has_value() || slots_.AllocateAt(*version.slot);
}

bool BlockTable::AdoptCurrent(JobId job, const BlockKey& key,
                              const Version& version) {
  if (!AdoptFresh(version)) return false;
  Commit(job, key, version);
  return true;
}

void BlockTable::Pin(JobId job, const Version& version) {
  if (!version.slot.has_value()) return;
  CHECK(pins_.insert({version.id, {job, version}}).second)
      << "version " << version.id << " is pinned already";
}

void BlockTable::Unpin(const Version& version) {
  if (!version.slot.has_value()) return;
  auto pin = pins_.find(version.id);
  CHECK(pin != pins_.end()) << "version " << version.id << " is not pinned";
  if (pin->second.replaced) {
    kept_bytes_ -= version.size_bytes;
    slots_.Free(*version.slot);
  }
  pins_.erase(pin);
}

int64_t BlockTable::kept_bytes(JobId job) const {
  int64_t bytes = 0;
  for (const auto& [id, pin] : pins_) {
    if (pin.replaced && pin.job == job) bytes += pin.version.size_bytes;
  }
  return bytes;
}

const std::map<BlockKey, Version>* BlockTable::BlocksOf(JobId job) const {
  auto blocks = jobs_.find(job);
  return blocks == jobs_.end() ? nullptr : &blocks->second;
}

void BlockTable::End(JobId job, const BlockKey& key) {
  auto blocks = jobs_.find(job);
  if (blocks == jobs_.end()) return;
  auto found = blocks->second.find(key);
  if (found == blocks->second.end()) return;
  Discard(found->second);
  blocks->second.erase(found);
}

void BlockTable::EndAll(JobId job) {
  auto blocks = jobs_.find(job);
  if (blocks == jobs_.end()) return;
  for (const auto& [key, version] : blocks->second) Discard(version);
  jobs_.erase(blocks);
}

const Version* BlockTable::Find(JobId job, const BlockKey& key) const {
  auto blocks = jobs_.find(job);
  if (blocks == jobs_.end()) return nullptr;
  auto found = blocks->second.find(key);
  return found == blocks->second.end() ? nullptr : &found->second;
}

void BlockTable::CheckInvariants(const std::vector<Version>& fresh) const {
  slots_.CheckInvariants();
  absl::flat_hash_set<int64_t> offsets;
  absl::flat_hash_map<VersionId, int> shared;
  int64_t bytes = 0;
  auto note = [&](const Version& version) {
    if (!version.slot.has_value()) return;
    CHECK(offsets.insert(version.slot->offset).second)
        << "two versions share the slot at " << version.slot->offset;
    bytes += version.slot->bytes;
  };
  for (const Version& version : fresh) note(version);
  int64_t kept_bytes = 0;
  for (const auto& [id, pin] : pins_) {
    if (!pin.replaced) continue;
    note(pin.version);
    kept_bytes += pin.version.size_bytes;
  }
  CHECK_EQ(kept_bytes, kept_bytes_);
  for (const auto& [job, blocks] : jobs_) {
    for (const auto& [key, version] : blocks) {
      const bool is_shared = holders_.count(version.id) != 0;
      if (!is_shared || ++shared[version.id] == 1) note(version);
    }
  }
  CHECK_EQ(shared.size(), holders_.size());
  for (const auto& [id, holders] : holders_) CHECK_EQ(shared[id], holders);
  CHECK_EQ(bytes, slots_.used_bytes()) << "slots are used by no version";
}

}  // namespace hydra
